// SPDX-License-Identifier: MIT
#pragma once

#include "measure.h"

#include <QJsonObject>

namespace Bench {

// The same bytes through a socket and nothing else.
QJsonObject runRaw(const Task &task);

} // namespace Bench
