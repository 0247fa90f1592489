// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"
#include "frames.h"

// What the files with the cases share.

void addFramingCases(std::vector<Case> &cases);          // 1 to 5
void addUtf8Cases(std::vector<Case> &cases);             // 6
void addCloseCases(std::vector<Case> &cases);            // 7
void addLoadCases(std::vector<Case> &cases);             // 9
void addAutoFragmentationCase(std::vector<Case> &cases); // 10
void addCompressionCases(std::vector<Case> &cases);      // 12 and 13

inline EndExpectation closedByServer()
{
    return {true, true, {1000}};
}

inline EndExpectation failedByClient(int code)
{
    return {false, false, {code}};
}

inline Step send(const QByteArray &bytes, qsizetype chop = 0)
{
    return {Step::Send, bytes, chop};
}

// The client answers all the bytes with these events, in this order, and is then closed.
inline Script answered(std::vector<Step> steps, std::vector<Event> events)
{
    Script script;
    script.steps = std::move(steps);
    script.expected = std::move(events);
    script.end = closedByServer();
    return script;
}

// The client must fail the connection with the code. Before it may have done at most what is expected, and less
// is not strict.
inline Script failed(std::vector<Step> steps, int code = 1002, std::vector<Event> before = {})
{
    Script script;
    script.steps = std::move(steps);
    if (!before.empty())
        script.nonStrict.emplace();
    script.expected = std::move(before);
    script.end = failedByClient(code);
    return script;
}

inline QByteArray repeated(const QByteArray &pattern, qsizetype size)
{
    return pattern.repeated(size / pattern.size() + 1).left(size);
}
