// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QByteArray>
#include <QList>

#include <optional>

// The grammar of HTTP's field values, as far as a WebSocket handshake has them (RFC 9110 §5.6, RFC 6455 §9.1).
namespace Everwire::HeaderValue {

struct Parameter
{
    QByteArray name; // in lower case
    std::optional<QByteArray> value;
};

struct Extension
{
    QByteArray name; // in lower case
    QList<Parameter> parameters;
};

[[nodiscard]] EVERWIRE_EXPORT bool isToken(QByteArrayView text);
// Whether a comma-separated list holds the token, in any case.
[[nodiscard]] EVERWIRE_EXPORT bool listHas(QByteArrayView list, QByteArrayView token);
// Nothing where it does not follow the grammar; an empty list is none.
[[nodiscard]] EVERWIRE_EXPORT std::optional<QList<Extension>> parseExtensions(QByteArrayView value);

} // namespace Everwire::HeaderValue
