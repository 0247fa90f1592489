// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>

#include <vector>

namespace Everwire::Demo {

/// What can be said about a recording without understanding its words.
///
/// \code
/// const SpeechMeasure heard = measureSpeech(samples, 16000);
/// if (heard.hasSpeech() && heard.loudnessDbfs < -32)
///     …; // too quiet
/// \endcode
struct SpeechMeasure
{
    double durationSeconds = 0;    ///< The whole recording.
    double speechSeconds = 0;      ///< The time in which somebody speaks, pauses left out.
    double speechRatio = 0;        ///< speechSeconds / durationSeconds, 0 to 1.
    std::vector<double> pauses;    ///< Seconds each; silences of 0.2 s or more between speech.
    double loudnessDbfs = -100;    ///< RMS over the speech, dB relative to full scale.
    double peakDbfs = -100;        ///< The largest sample, dB relative to full scale.
    double noiseFloorDbfs = -100;  ///< The level between the words, dB relative to full scale.
    double clippedRatio = 0;       ///< Share of the samples that sit at full scale, 0 to 1.
    int syllables = 0;             ///< Estimated syllable nuclei.
    double syllablesPerSecond = 0; ///< syllables / speechSeconds.

    [[nodiscard]] bool hasSpeech() const { return speechSeconds >= 0.2; }

    /// How many pauses last at least \a seconds.
    [[nodiscard]] int pausesOver(double seconds) const;

    /// The longest pause in seconds, 0 without one.
    [[nodiscard]] double longestPause() const;

    /// The numbers as they go over the wire, rounded; \a longPauseSeconds decides `longPauseCount`.
    [[nodiscard]] QJsonObject toJson(double longPauseSeconds) const;
};

/// Measures mono 16-bit \a samples taken at \a sampleRate Hz: an energy detector on 20 ms frames
/// against a noise floor that follows the recording.
[[nodiscard]] SpeechMeasure measureSpeech(const std::vector<qint16> &samples, int sampleRate);

} // namespace Everwire::Demo
