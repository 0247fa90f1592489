// SPDX-License-Identifier: MIT
#pragma once

#include "core/reconnectpolicy.h"

#include <QString>

#include <chrono>
#include <memory>

namespace Storms {

using std::chrono::milliseconds;

// How a client waits before it tries again.
class Backoff
{
public:
    explicit Backoff(const QString &name) : m_name(name) {}
    virtual ~Backoff() = default;
    Q_DISABLE_COPY_MOVE(Backoff)

    [[nodiscard]] const QString &name() const { return m_name; }
    // The wait before this attempt, from 1, behind one of *previous* (0: none). random is uniform in [0, 1); asked: what
    // the server's Retry-After wants.
    [[nodiscard]] virtual milliseconds wait(int attempt, milliseconds previous, double random,
                                            milliseconds asked) const = 0;
    [[nodiscard]] virtual bool allows(int attempt) const = 0;

private:
    QString m_name;
};

// What the library does with this configuration.
class PolicyBackoff final : public Backoff
{
public:
    PolicyBackoff(const QString &name, const Everwire::ConnectionConfig &config)
        : Backoff(name), m_policy(config)
    {
    }
    [[nodiscard]] milliseconds wait(int attempt, milliseconds previous, double random,
                                    milliseconds asked) const override;
    [[nodiscard]] bool allows(int attempt) const override { return m_policy.allows(attempt); }

private:
    Everwire::ReconnectPolicy m_policy;
};

// What others do, with the same first and longest wait and the same number of attempts.
class OtherBackoff final : public Backoff
{
public:
    enum class Kind {
        Full,         // anything from 0 to the base delay
        Decorrelated, // anything from the first delay to three times the last wait
    };
    OtherBackoff(const QString &name, Kind kind, const Everwire::ConnectionConfig &config);
    [[nodiscard]] milliseconds wait(int attempt, milliseconds previous, double random,
                                    milliseconds asked) const override;
    [[nodiscard]] bool allows(int attempt) const override { return m_most < 0 || attempt <= m_most; }

private:
    Kind m_kind;
    double m_first;
    double m_limit;
    int m_most;
};

} // namespace Storms
