// SPDX-License-Identifier: MIT
#include "core/httpheader.h"

#include "core/peertext.h"
#include "core/scalartext.h"

#include <QRegularExpression>

namespace Everwire::HttpHeader {

bool isToken(const QString &text)
{
    static const QRegularExpression token(QStringLiteral("\\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\\z"));
    return token.match(text).hasMatch();
}

QString problem(const QString &name, const QVariant &value)
{
    if (!isToken(name))
        return QStringLiteral("headers: \"%1\" is not a header name (RFC 9110 §5.1)")
            .arg(PeerText::shown(name, {}, PeerText::LongestName));
    static const QRegularExpression control(QStringLiteral("[\\x00-\\x08\\x0a-\\x1f\\x7f]"));
    const std::optional<QString> text = scalarText(value);
    if (!text || control.match(*text).hasMatch())
        return QStringLiteral("headers: the value of %1 is not a line of text").arg(name);
    return {};
}

} // namespace Everwire::HttpHeader
