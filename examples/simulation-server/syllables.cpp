// SPDX-License-Identifier: MIT
#include "syllables.h"

#include <algorithm>
#include <cmath>

namespace Everwire::Demo {

namespace {

constexpr double hopSeconds = 0.01;
constexpr double lowCutHz = 200;   // hum and breath
constexpr double highCutHz = 2500; // an "s" is loud above it and is no syllable
constexpr double dipDb = 2;        // de Jong and Wempe, 2009
constexpr int smoothingHops = 3;   // on each side: 70 ms, shorter than any syllable
constexpr double belowLoudestDb = 22;

using Envelope = std::vector<double>;

// One-pole filters are enough to tell vowels from fricatives.
Envelope vowelEnvelope(const std::vector<qint16> &samples, int sampleRate)
{
    const double lowPass = 1 - std::exp(-2 * M_PI * highCutHz / sampleRate);
    const double highPass = 1 - std::exp(-2 * M_PI * lowCutHz / sampleRate);
    const size_t hop = size_t(hopSeconds * sampleRate);
    Envelope energies;
    energies.reserve(samples.size() / hop + 1);
    double low = 0;
    double below = 0;
    double sum = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
        low += lowPass * (samples[i] / 32768.0 - low);
        below += highPass * (low - below);
        sum += (low - below) * (low - below);
        if ((i + 1) % hop == 0) {
            energies.push_back(sum / double(hop));
            sum = 0;
        }
    }
    return energies;
}

Envelope smoothedDb(const Envelope &energies)
{
    const int count = int(energies.size());
    Envelope smooth(energies.size());
    for (int i = 0; i < count; ++i) {
        double sum = 0;
        double weights = 0;
        for (int j = std::max(0, i - smoothingHops); j <= std::min(count - 1, i + smoothingHops); ++j) {
            const double weight = smoothingHops + 1 - std::abs(i - j);
            sum += weight * energies[size_t(j)];
            weights += weight;
        }
        smooth[size_t(i)] = 10 * std::log10(sum / weights + 1e-10);
    }
    return smooth;
}

} // namespace

int countSyllables(const std::vector<qint16> &samples, int sampleRate, const std::vector<char> &speech,
                   double frameSeconds)
{
    const Envelope envelope = smoothedDb(vowelEnvelope(samples, sampleRate));
    if (envelope.empty())
        return 0;
    const double lowestPeak = *std::max_element(envelope.begin(), envelope.end()) - belowLoudestDb;
    const auto counts = [&](size_t hop) {
        const size_t frame = size_t(double(hop) * hopSeconds / frameSeconds);
        return envelope[hop] > lowestPeak && frame < speech.size() && speech[frame] != 0;
    };

    int syllables = 0;
    double dip = envelope.front();
    size_t peak = 0;
    bool rising = false;
    for (size_t i = 1; i < envelope.size(); ++i) {
        if (rising) {
            if (envelope[i] > envelope[peak])
                peak = i;
            if (envelope[i] < envelope[peak] - dipDb) {
                syllables += counts(peak) ? 1 : 0;
                rising = false;
                dip = envelope[i];
            }
        } else {
            dip = std::min(dip, envelope[i]);
            if (envelope[i] > dip + dipDb) {
                rising = true;
                peak = i;
            }
        }
    }
    return syllables + (rising && counts(peak) ? 1 : 0);
}

} // namespace Everwire::Demo
