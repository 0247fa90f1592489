// SPDX-License-Identifier: MIT
#pragma once

#include "measure.h"

#include <QJsonObject>

namespace Bench {

// Whether a task is for a whole program (apps.h), which its key "measure" says:
//   ui       a UI beside a stream at a rate: the main thread's work for each message, and its latest tick
//   burst    the latest tick while all come at once
//   route    how many come to their handlers
bool isForApp(const Task &task);
QJsonObject runApp(const Task &task);

} // namespace Bench
