// SPDX-License-Identifier: MIT
#pragma once

#include "measure.h"

#include <QJsonObject>

namespace Bench {

// The view of a page in QML, with other rows in each frame and nothing beside it: what its frames take by themselves.
QJsonObject runListAlone(const Task &task);

} // namespace Bench
