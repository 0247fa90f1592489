// SPDX-License-Identifier: MIT
#include "speechmeasure.h"

#include "syllables.h"

#include <algorithm>
#include <cmath>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

constexpr double frameSeconds = 0.02;
constexpr double silenceDb = -100;
constexpr double quietestSpeechDb = -62; // below this nobody could be understood
constexpr double steadyRangeDb = 6;      // speech moves more than this, hum and noise do not
constexpr double loudSteadyDb = -45;     // a steady signal above this is a sound somebody made
constexpr int shortestSpeechFrames = 2;  // a click is shorter
constexpr int shortestPauseFrames = 10;  // the closure of a plosive is shorter

using Levels = std::vector<double>;
using Flags = std::vector<char>;

double toDb(double linear)
{
    return linear > 1e-5 ? 20 * std::log10(linear) : silenceDb;
}

double rounded(double value, int digits)
{
    const double scale = std::pow(10, digits);
    return std::round(value * scale) / scale;
}

Levels frameLevels(const std::vector<qint16> &samples, size_t frameSize)
{
    Levels levels;
    levels.reserve(samples.size() / frameSize);
    for (size_t start = 0; start + frameSize <= samples.size(); start += frameSize) {
        double sum = 0;
        for (size_t i = start; i < start + frameSize; ++i)
            sum += double(samples[i]) * samples[i];
        levels.push_back(toDb(std::sqrt(sum / double(frameSize)) / 32768));
    }
    return levels;
}

double percentile(Levels levels, double share)
{
    const auto nth = levels.begin() + std::ptrdiff_t(share * double(levels.size() - 1));
    std::nth_element(levels.begin(), nth, levels.end());
    return *nth;
}

// The floor falls quickly with the signal and rises by 1 dB/s, so it follows a room and not a voice.
Flags detectSpeech(const Levels &levels, double &noiseFloor)
{
    const double loud = percentile(levels, 0.95);
    const double quiet = percentile(levels, 0.1);
    noiseFloor = quiet;
    if (loud - quiet < steadyRangeDb)
        return Flags(levels.size(), loud > loudSteadyDb ? 1 : 0);

    const double highestFloor = loud - 20;
    double floor = std::min(quiet, highestFloor);
    Flags speech(levels.size(), 0);
    for (size_t i = 0; i < levels.size(); ++i) {
        floor += levels[i] < floor ? 0.3 * (levels[i] - floor) : frameSeconds;
        floor = std::min(floor, highestFloor);
        const double threshold = std::max({floor + 9, loud - 32, quietestSpeechDb});
        speech[i] = levels[i] > threshold ? 1 : 0;
    }
    return speech;
}

// Turns every run of `value` shorter than `shortest` frames into its opposite.
void removeShortRuns(Flags &flags, char value, int shortest, bool atTheEdges)
{
    size_t start = 0;
    while (start < flags.size()) {
        size_t end = start;
        while (end < flags.size() && flags[end] == flags[start])
            ++end;
        const bool edge = start == 0 || end == flags.size();
        if (flags[start] == value && int(end - start) < shortest && (atTheEdges || !edge))
            std::fill(flags.begin() + std::ptrdiff_t(start), flags.begin() + std::ptrdiff_t(end),
                      char(!value));
        start = end;
    }
}

std::vector<double> findPauses(const Flags &speech)
{
    std::vector<double> pauses;
    const auto isSpeech = [](char flag) { return flag != 0; };
    auto at = std::find_if(speech.begin(), speech.end(), isSpeech);
    while (at != speech.end()) {
        const auto silence = std::find(at, speech.end(), char(0));
        at = std::find_if(silence, speech.end(), isSpeech);
        if (at != speech.end())
            pauses.push_back(double(at - silence) * frameSeconds);
    }
    return pauses;
}

double speechLoudness(const Levels &levels, const Flags &speech)
{
    double energy = 0;
    int frames = 0;
    for (size_t i = 0; i < levels.size(); ++i) {
        if (speech[i] == 0)
            continue;
        energy += std::pow(10, levels[i] / 10);
        ++frames;
    }
    return frames == 0 ? silenceDb : toDb(std::sqrt(energy / frames));
}

// One sample at full scale is a peak; a flat top of three or more was cut off.
double clippedShare(const std::vector<qint16> &samples)
{
    size_t clipped = 0;
    size_t run = 0;
    for (const qint16 sample : samples) {
        run = std::abs(int(sample)) >= 32760 ? run + 1 : 0;
        if (run == 3)
            clipped += 3;
        else if (run > 3)
            ++clipped;
    }
    return samples.empty() ? 0 : double(clipped) / double(samples.size());
}

double peakLevel(const std::vector<qint16> &samples)
{
    int peak = 0;
    for (const qint16 sample : samples)
        peak = std::max(peak, std::abs(int(sample)));
    return toDb(peak / 32768.0);
}

} // namespace

int SpeechMeasure::pausesOver(double seconds) const
{
    return int(
        std::count_if(pauses.begin(), pauses.end(), [seconds](double pause) { return pause >= seconds; }));
}

double SpeechMeasure::longestPause() const
{
    return pauses.empty() ? 0 : *std::max_element(pauses.begin(), pauses.end());
}

QJsonObject SpeechMeasure::toJson(double longPauseSeconds) const
{
    return {{u"durationSeconds"_s, rounded(durationSeconds, 2)},
            {u"speechSeconds"_s, rounded(speechSeconds, 2)},
            {u"speechRatio"_s, rounded(speechRatio, 3)},
            {u"pauseCount"_s, int(pauses.size())},
            {u"longPauseCount"_s, pausesOver(longPauseSeconds)},
            {u"longestPauseSeconds"_s, rounded(longestPause(), 2)},
            {u"loudnessDbfs"_s, rounded(loudnessDbfs, 1)},
            {u"peakDbfs"_s, rounded(peakDbfs, 1)},
            {u"noiseFloorDbfs"_s, rounded(noiseFloorDbfs, 1)},
            {u"clippedRatio"_s, rounded(clippedRatio, 5)},
            {u"syllables"_s, syllables},
            {u"syllablesPerSecond"_s, rounded(syllablesPerSecond, 2)}};
}

SpeechMeasure measureSpeech(const std::vector<qint16> &samples, int sampleRate)
{
    SpeechMeasure measure;
    if (samples.empty() || sampleRate <= 0)
        return measure;
    measure.durationSeconds = double(samples.size()) / sampleRate;
    measure.peakDbfs = peakLevel(samples);
    measure.clippedRatio = clippedShare(samples);

    const Levels levels = frameLevels(samples, size_t(frameSeconds * sampleRate));
    if (levels.empty())
        return measure;
    Flags speech = detectSpeech(levels, measure.noiseFloorDbfs);
    removeShortRuns(speech, 0, shortestPauseFrames, false);
    removeShortRuns(speech, 1, shortestSpeechFrames, true);

    measure.speechSeconds = double(std::count(speech.begin(), speech.end(), char(1))) * frameSeconds;
    measure.speechRatio = std::min(1.0, measure.speechSeconds / measure.durationSeconds);
    measure.pauses = findPauses(speech);
    measure.loudnessDbfs = speechLoudness(levels, speech);
    if (measure.hasSpeech()) {
        measure.syllables = countSyllables(samples, sampleRate, speech, frameSeconds);
        measure.syllablesPerSecond = measure.syllables / measure.speechSeconds;
    }
    return measure;
}

} // namespace Everwire::Demo
