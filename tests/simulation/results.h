// SPDX-License-Identifier: MIT
#pragma once

#include "storm.h"

#include <QJsonArray>
#include <QList>

#include <vector>

namespace Storms {

// What an app may configure, beside the jitter.
struct Options
{
    QString name;
    int attempts;             // maxReconnectAttempts
    milliseconds longest;     // maxReconnectDelay
    milliseconds first{1000}; // initialReconnectDelay
};

struct Result
{
    Storm storm;
    QString options;
    QString backoff;
    bool isDefault = false; // the library's own jitter
    Outcome outcome;
};

[[nodiscard]] QList<Options> allOptions();
// The library's with several jitters, and what others do.
[[nodiscard]] std::vector<std::shared_ptr<const Backoff>> backoffs(const Options &options);

// Every outage, option and back-off for fleets of these sizes, on all cores.
[[nodiscard]] std::vector<Result> runAll(const QList<int> &fleets, std::uint64_t seed);

// A table for each fleet and option.
[[nodiscard]] QString toMarkdown(const std::vector<Result> &results);
// As scripts/bench-charts reads it.
[[nodiscard]] QJsonArray toFigures(const std::vector<Result> &results);

} // namespace Storms
