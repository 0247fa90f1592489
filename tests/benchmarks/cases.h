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

// Which program does somebody's tasks.
enum class Program {
    Bench, // this one
    Quick, // everwire-bench-qml beside it
    Node,  // tests/peers/bench-client.mjs
};

// Who takes part in a case.
struct Contender
{
    QString name;
    bool isJudged = false; // the goals are for it
    Program program = Program::Bench;
    double bound = 0; // of its goals, where it is another than the figure's
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
    // The first is what the others are measured against; none: the transports' peers.
    std::vector<Contender> contenders;
};

// The bars on the transports, T1 to T7.
std::vector<Case> transportCases(Scale scale);
// The bars on the library over its whole path, P1 to P11.
std::vector<Case> libraryCases(Scale scale);

} // namespace Bench
