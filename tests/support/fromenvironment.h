// SPDX-License-Identifier: MIT
#pragma once

#include <QRandomGenerator>
#include <QtGlobal>

// The number in an environment variable, with which a run by hand is made longer or repeated.
inline int countFromEnvironment(const char *variable, int fallback)
{
    bool isNumber = false;
    const int value = qEnvironmentVariableIntValue(variable, &isNumber);
    return isNumber ? value : fallback;
}

// EVERWIRE_SEED, or another seed in each run. It is printed, so that a failure can be repeated.
inline quint32 seedFromEnvironment()
{
    const int any = int(QRandomGenerator::global()->bounded(1 << 30));
    const auto seed = quint32(countFromEnvironment("EVERWIRE_SEED", any));
    qInfo("seed %u (EVERWIRE_SEED)", seed);
    return seed;
}
