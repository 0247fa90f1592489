// SPDX-License-Identifier: MIT
#include "faults.h"

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

constexpr int longestMs = 600000;
constexpr int longestReasonBytes = 123; // RFC 6455, 5.5: a control frame holds 125 bytes

// RFC 6455, 7.4: 1004 to 1006 and 1015 never travel, 1016 to 2999 are not assigned.
bool isSendableCode(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

ParsedFault closeFault(int code, const QString &reason)
{
    if (!isSendableCode(code))
        return {{}, u"close code %1 cannot be sent; use 1000-1003, 1007-1014 or 3000-4999"_s.arg(code)};
    if (reason.toUtf8().size() > longestReasonBytes)
        return {{}, u"the close reason is longer than %1 bytes; shorten it"_s.arg(longestReasonBytes)};
    return {{Fault::Kind::Close, {}, quint16(code), reason}, {}};
}

ParsedFault timedFault(Fault::Kind kind, int ms)
{
    if (ms < 0 || ms > longestMs)
        return {{}, u"a fault's time must be a number of milliseconds from 0 to %1"_s.arg(longestMs)};
    return {{kind, std::chrono::milliseconds(ms), 1000, {}}, {}};
}

} // namespace

ParsedFault faultFromMessage(const QJsonObject &message)
{
    const QString kind = message.value(u"kind"_s).toString();
    const int ms = message.contains(u"ms"_s) ? message.value(u"ms"_s).toInt(-1) : 0;
    if (kind == u"drop"_s)
        return {{Fault::Kind::Drop, {}, 1000, {}}, {}};
    if (kind == u"close"_s)
        return closeFault(message.value(u"code"_s).toInt(-1), message.value(u"reason"_s).toString());
    if (kind == u"silence"_s)
        return timedFault(Fault::Kind::Silence, ms);
    if (kind == u"slow"_s)
        return timedFault(Fault::Kind::Slow, ms);
    return {{}, u"unknown fault kind; use drop, close, silence or slow"_s};
}

ParsedFault faultFromQuery(const QString &value)
{
    const QString closePrefix = u"close-"_s;
    const QString dropPrefix = u"drop-after-"_s;
    const auto numberAfter = [&value](const QString &prefix) {
        bool ok = false;
        const int number = QStringView(value).mid(prefix.size()).toInt(&ok);
        return ok ? number : -1;
    };
    if (value.isEmpty())
        return {};
    if (value == u"silence-auth"_s)
        return {{Fault::Kind::SilentAuth, {}, 1000, {}}, {}};
    if (value == u"reject-auth"_s)
        return {{Fault::Kind::RejectAuth, {}, 1000, {}}, {}};
    if (value == u"drop-auth"_s)
        return {{Fault::Kind::DropAuth, {}, 1000, {}}, {}};
    if (value.startsWith(closePrefix))
        return closeFault(numberAfter(closePrefix), u"Requested by the URL"_s);
    if (value.startsWith(dropPrefix))
        return timedFault(Fault::Kind::DropAfter, numberAfter(dropPrefix));
    return {
        {},
        u"unknown fault in the URL; use silence-auth, reject-auth, drop-auth, close-<code> or drop-after-<ms>"_s};
}

} // namespace Everwire::Demo
