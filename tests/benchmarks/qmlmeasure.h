// SPDX-License-Identifier: MIT
#pragma once

#include "measure.h"

#include <QJsonObject>

namespace Bench {

// The tasks of appmeasure.h for a page of QML, with
//   delivery=each|latest   what the library's Subscription delivers
//   view=1                 a ListView shows the model's end
QJsonObject runPage(const Task &task);

} // namespace Bench
