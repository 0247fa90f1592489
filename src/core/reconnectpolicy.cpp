// SPDX-License-Identifier: MIT
#include "core/reconnectpolicy.h"

#include "core/closecode.h"

#include <algorithm>
#include <cmath>

namespace Everwire {

using std::chrono::milliseconds;

ReconnectPolicy::ReconnectPolicy(const ConnectionConfig &config) : m_config(config) {}

milliseconds ReconnectPolicy::delay(int attempt, double random, milliseconds asked) const
{
    const double limit = double(m_config.maxReconnectDelay().count());
    const double base = std::ldexp(double(m_config.initialReconnectDelay().count()), attempt - 1);
    const double jitter = m_config.reconnectJitter();
    const double factor = 1 - jitter + 2 * jitter * random;
    const double spread = double(asked.count()) * (1 + jitter * random);
    return milliseconds(std::llround(std::max(std::min(std::min(base, limit) * factor, limit), spread)));
}

bool ReconnectPolicy::allows(int attempt) const
{
    const int most = m_config.maxReconnectAttempts();
    return most < 0 || attempt <= most;
}

bool ReconnectPolicy::retries(int closeCode) const
{
    return m_config.autoReconnect() && !CloseCode::isFinal(closeCode) &&
           !m_config.terminalCloseCodes().contains(closeCode);
}

bool ReconnectPolicy::retries(const ConnectionError &error) const
{
    if (error.isFinal())
        return false;
    const int code = error.closeCode();
    // The server has refused the token, not the client: another token may be accepted.
    const bool isAboutTheToken = error.code() == ConnectionError::AuthenticationFailed;
    const bool isOurVerdict =
        error.code() == ConnectionError::ProtocolViolation && code != CloseCode::MessageTooBig;
    if (isAboutTheToken || isOurVerdict)
        return m_config.autoReconnect() && !m_config.terminalCloseCodes().contains(code);
    return retries(code);
}

} // namespace Everwire
