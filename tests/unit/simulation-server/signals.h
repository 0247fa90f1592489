// SPDX-License-Identifier: MIT
#pragma once

#include <QtMath>

#include <vector>

/// Synthetic recordings at 16 kHz.
namespace Signals {

inline constexpr int rate = 16000;
using Samples = std::vector<qint16>;

/// \a seconds of a sine with \a amplitude (0 to 1), for example something that is loud and steady.
inline Samples tone(double seconds, double amplitude, double hz = 440)
{
    Samples samples;
    for (int i = 0; i < int(seconds * rate); ++i)
        samples.push_back(qint16(qRound(amplitude * 32767 * qSin(2 * M_PI * hz * i / rate))));
    return samples;
}

/// A voice-like signal: \a syllables a second, each one a hump of \a amplitude.
inline Samples babble(double seconds, double amplitude, double syllables = 4)
{
    Samples samples = tone(seconds, amplitude, 500);
    for (size_t i = 0; i < samples.size(); ++i) {
        const double hump = 0.55 - 0.45 * qCos(2 * M_PI * syllables * double(i) / rate);
        samples[i] = qint16(samples[i] * hump);
    }
    return samples;
}

/// A reproducible hiss with \a amplitude (0 to 1).
inline Samples noise(double seconds, double amplitude)
{
    Samples samples;
    quint32 state = 12345;
    for (int i = 0; i < int(seconds * rate); ++i) {
        state = state * 1664525U + 1013904223U;
        samples.push_back(qint16(amplitude * 32767 * (double(state >> 8) / double(1U << 23) - 1)));
    }
    return samples;
}

inline Samples silence(double seconds)
{
    return Samples(size_t(seconds * rate), 0);
}

inline Samples joined(std::initializer_list<Samples> pieces)
{
    Samples all;
    for (const Samples &piece : pieces)
        all.insert(all.end(), piece.begin(), piece.end());
    return all;
}

} // namespace Signals
