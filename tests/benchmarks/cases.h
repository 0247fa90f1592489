// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

#include <vector>

namespace Bench {

enum class Scale {
    Smoke, // whether it works at all
    Quick,
    Full,
};

// What is wanted of a figure.
struct Goal
{
    enum Of { Nothing, RatioAtLeast, RatioAtMost, ValueAtMost };

    Of of = Nothing;
    double bound = 0;
};

// One number of a task's output.
struct Figure
{
    QString key;  // its name there
    QString what; // "" for the case's own name
    QString unit;
    Goal goal;
};

// One thing that is measured, with each peer in turn.
struct Case
{
    QString bar;
    QString what;
    QString url;         // measure.h
    QString minus;       // a task whose figures are taken away from it
    int needs = 0;       // features of a peer (Peer::Feature)
    bool hasRaw = false; // whether a plain socket can do it
    int rounds = 5;
    std::vector<Figure> figures;
};

// The bars on the transports, T1 to T7.
std::vector<Case> transportCases(Scale scale);

} // namespace Bench
