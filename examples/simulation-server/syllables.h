// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

#include <vector>

namespace Everwire::Demo {

/// Estimates the number of syllables in mono 16-bit \a samples (\a sampleRate Hz): peaks of the
/// energy between 200 and 2500 Hz that stand out by 2 dB from the dips around them. \a speech says
/// for each frame of \a frameSeconds whether somebody speaks; peaks elsewhere do not count.
[[nodiscard]] int countSyllables(const std::vector<qint16> &samples, int sampleRate,
                                 const std::vector<char> &speech, double frameSeconds);

} // namespace Everwire::Demo
