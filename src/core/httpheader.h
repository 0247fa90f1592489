// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QString>
#include <QVariant>

namespace Everwire::HttpHeader {

[[nodiscard]] bool isToken(const QString &text); // RFC 9110 §5.6.2

// A sentence that begins with "headers: "; empty where the name and the value can be sent. Nobody may add lines of their
// own to a request by a value.
[[nodiscard]] EVERWIRE_EXPORT QString problem(const QString &name, const QVariant &value);

} // namespace Everwire::HttpHeader
