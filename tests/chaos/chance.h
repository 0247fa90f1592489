// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

#include <initializer_list>
#include <random>

namespace Chaos {

// The same choices for the same seed.
class Chance
{
protected:
    explicit Chance(quint64 seed) : m_random(seed) {}
    ~Chance() = default;
    Q_DISABLE_COPY_MOVE(Chance)

    [[nodiscard]] int below(int limit) { return int(m_random() % quint64(limit)); }
    [[nodiscard]] bool oneIn(int n) { return below(n) == 0; }
    template<typename T>
    [[nodiscard]] T oneOf(std::initializer_list<T> list)
    {
        return list.begin()[below(int(list.size()))];
    }

private:
    std::mt19937_64 m_random;
};

} // namespace Chaos
