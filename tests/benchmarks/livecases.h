// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"

#include <vector>

namespace Bench {

class Amounts;

// The bars on connections that live beside something else, P6 to P11.
std::vector<Case> liveCases(const Amounts &amounts);

} // namespace Bench
