// SPDX-License-Identifier: MIT
//
// What the values look like to qDebug(): enough to see what happens, and nothing that is private (rules A7, C4).
#include <Everwire/ConnectionConfig>
#include <Everwire/ConnectionError>
#include <Everwire/Message>
#include <Everwire/SessionInfo>

#include "core/peertext.h"

#include <QDebug>

namespace Everwire {

QDebug operator<<(QDebug debug, const SessionInfo &session)
{
    const QDebugStateSaver saver(debug);
    const auto shown = [](const QString &text) { return PeerText::shown(text, {}, PeerText::LongestName); };
    debug.nospace() << "SessionInfo(" << shown(session.sessionId()) << ", user " << shown(session.userId())
                    << ", " << shown(session.timestamp()) << ")";
    return debug;
}

QDebug operator<<(QDebug debug, const ConnectionError &error)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ConnectionError(" << error.code() << ", " << error.message();
    if (error.closeCode() != 0)
        debug << ", close code " << error.closeCode();
    debug << (error.isFinal() ? ", final)" : ")");
    return debug;
}

QDebug operator<<(QDebug debug, const Message &message)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "Message(";
    if (!message.isNull())
        debug << (message.direction() == Message::Incoming ? "incoming " : "outgoing ")
              << (message.isBinary() ? QStringLiteral("binary")
                                     : PeerText::shown(message.type(), {}, PeerText::LongestName))
              << ", " << message.bytes().size() << " bytes";
    debug << ")";
    return debug;
}

QDebug operator<<(QDebug debug, const ConnectionConfig &config)
{
    QVariantMap set = config.toVariantMap();
    if (const auto url = set.find(QStringLiteral("url")); url != set.end())
        *url = QUrl(config.url()).toString(QUrl::RemoveUserInfo | QUrl::RemoveQuery | QUrl::RemoveFragment);
    for (const QString &key : {QStringLiteral("headers"), QStringLiteral("options")}) {
        if (const auto map = set.find(key); map != set.end())
            *map = QVariant(map->toMap().keys());
    }
    if (const auto proxy = set.find(QStringLiteral("proxy")); proxy != set.end())
        *proxy = QUrl(config.proxy()).toString(QUrl::RemoveUserInfo);
    if (const auto key = set.find(QStringLiteral("clientKey")); key != set.end())
        *key = QStringLiteral("…");
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ConnectionConfig(";
    for (auto it = set.cbegin(); it != set.cend(); ++it) {
        const QString value = it->canConvert<QStringList>() && it->typeId() != QMetaType::QString
                                  ? it->toStringList().join(QLatin1Char(' '))
                                  : it->toString();
        debug << (it == set.cbegin() ? "" : ", ") << qUtf8Printable(it.key()) << ": "
              << qUtf8Printable(value);
    }
    debug << ")";
    return debug;
}

} // namespace Everwire
