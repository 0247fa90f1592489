// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"

#include <QString>

#include <algorithm>

namespace Bench {

inline const QString PerSecond = QStringLiteral("msg/s");
inline const QString Micro = QStringLiteral("µs");
inline const QString Milli = QStringLiteral("ms");
inline const QString Mebi = QStringLiteral("MiB");

// How much of everything.
class Amounts
{
public:
    explicit Amounts(Scale scale) : m_scale(scale) {}

    // Of a million messages, say: what a full run takes.
    [[nodiscard]] int messages(int full) const
    {
        return pick(full, full / 6, std::clamp(full / 5000, 20, 200));
    }
    [[nodiscard]] int pick(int full, int quick, int smoke) const
    {
        return m_scale == Scale::Full ? full : m_scale == Scale::Quick ? quick : smoke;
    }
    [[nodiscard]] int rounds(int full, int quick) const { return pick(full, quick, 1); }

private:
    Scale m_scale;
};

inline QString sizeName(int size)
{
    return size % 1024 == 0 ? QStringLiteral("%1 KiB").arg(size / 1024) : QStringLiteral("%1 B").arg(size);
}

} // namespace Bench
