// SPDX-License-Identifier: MIT
#pragma once

#include "measure.h"

#include <QJsonObject>

namespace Bench {

// Receives with Boost.Beast and finds the type and two fields with simdjson, without Qt and by one blocking thread:
// what an app in another world has.
QJsonObject runBeast(const Task &task);

inline constexpr char BeastPeer[] = "Boost.Beast";

} // namespace Bench
