// SPDX-License-Identifier: MIT
// What QML calls the library's own types. They are described here and not in src/, which knows nothing of QML.
#pragma once

#include <Everwire/Connection>
#include <Everwire/ConnectionConfig>
#include <Everwire/ConnectionError>
#include <Everwire/ConnectionHandle>
#include <Everwire/ConnectionsModel>
#include <Everwire/FilteredMessages>
#include <Everwire/HttpPreparation>
#include <Everwire/HttpTokenProvider>
#include <Everwire/Message>
#include <Everwire/MessageModel>
#include <Everwire/NotificationFeed>
#include <Everwire/NotificationModel>
#include <Everwire/Preparation>
#include <Everwire/SessionInfo>
#include <Everwire/SimulationSession>
#include <Everwire/TurnModel>
#include <Everwire/WebSocketProvider>

#include <QQmlEngine>

namespace Everwire {

struct WebSocketProviderType
{
    Q_GADGET
    QML_FOREIGN(Everwire::WebSocketProvider)
    QML_NAMED_ELEMENT(WebSocketProvider)
    QML_SINGLETON

public:
    // The same object for every engine and for C++; no engine owns it.
    static WebSocketProvider *create(QQmlEngine *qmlEngine, QJSEngine *jsEngine);
};

struct ConnectionType
{
    Q_GADGET
    QML_FOREIGN(Everwire::Connection)
    QML_NAMED_ELEMENT(Connection)
    QML_UNCREATABLE("WebSocketProvider.connection(type) hands connections out")
};

struct ConnectionHandleType
{
    Q_GADGET
    QML_FOREIGN(Everwire::ConnectionHandle)
    QML_NAMED_ELEMENT(ConnectionHandle)
};

struct SimulationSessionType
{
    Q_GADGET
    QML_FOREIGN(Everwire::SimulationSession)
    QML_NAMED_ELEMENT(SimulationSession)
};

struct NotificationFeedType
{
    Q_GADGET
    QML_FOREIGN(Everwire::NotificationFeed)
    QML_NAMED_ELEMENT(NotificationFeed)
};

struct FilteredMessagesType
{
    Q_GADGET
    QML_FOREIGN(Everwire::FilteredMessages)
    QML_NAMED_ELEMENT(FilteredMessages)
};

struct HttpTokenProviderType
{
    Q_GADGET
    QML_FOREIGN(Everwire::HttpTokenProvider)
    QML_NAMED_ELEMENT(HttpTokenProvider)
};

struct HttpPreparationType
{
    Q_GADGET
    QML_FOREIGN(Everwire::HttpPreparation)
    QML_NAMED_ELEMENT(HttpPreparation)
};

// The types of properties, which QML needs to know to assign what derives from them.

struct TokenProviderBase
{
    Q_GADGET
    QML_FOREIGN(Everwire::TokenProvider)
    QML_NAMED_ELEMENT(AbstractTokenProvider)
    QML_UNCREATABLE("TokenProvider and HttpTokenProvider are the elements")
};

struct PreparationBase
{
    Q_GADGET
    QML_FOREIGN(Everwire::Preparation)
    QML_NAMED_ELEMENT(Preparation)
    QML_UNCREATABLE("HttpPreparation is the element")
};

struct ConnectionsModelType
{
    Q_GADGET
    QML_FOREIGN(Everwire::ConnectionsModel)
    QML_NAMED_ELEMENT(ConnectionsModel)
    QML_UNCREATABLE("it is WebSocketProvider.connections")
};

struct MessageModelType
{
    Q_GADGET
    QML_FOREIGN(Everwire::MessageModel)
    QML_NAMED_ELEMENT(MessageModel)
    QML_UNCREATABLE("it is a connection's messages")
};

struct TurnModelType
{
    Q_GADGET
    QML_FOREIGN(Everwire::TurnModel)
    QML_NAMED_ELEMENT(TurnModel)
    QML_UNCREATABLE("it is a SimulationSession's turns")
};

struct NotificationModelType
{
    Q_GADGET
    QML_FOREIGN(Everwire::NotificationModel)
    QML_NAMED_ELEMENT(NotificationModel)
    QML_UNCREATABLE("it is a NotificationFeed's notifications")
};

// Values: connection.sessionInfo.sessionId, message.type …

struct SessionInfoValue
{
    Q_GADGET
    QML_FOREIGN(Everwire::SessionInfo)
    QML_VALUE_TYPE(sessionInfo)
};

struct ConnectionErrorValue
{
    Q_GADGET
    QML_FOREIGN(Everwire::ConnectionError)
    QML_VALUE_TYPE(connectionError)
};

struct ConnectionConfigValue
{
    Q_GADGET
    QML_FOREIGN(Everwire::ConnectionConfig)
    QML_VALUE_TYPE(connectionConfig)
};

struct MessageValue
{
    Q_GADGET
    QML_FOREIGN(Everwire::Message)
    QML_VALUE_TYPE(message)
};

// Their enums: ConnectionError.NoToken, ConnectionConfig.DropOldest, Message.Outgoing. QML wants a capital
// letter for these, so each of those values has a second name.

class ConnectionErrorEnums : public QObject
{
    Q_OBJECT
    QML_NAMED_ELEMENT(ConnectionError)
    QML_EXTENDED_NAMESPACE(Everwire::ConnectionError)
    QML_UNCREATABLE("it has enums only")
};

class ConnectionConfigEnums : public QObject
{
    Q_OBJECT
    QML_NAMED_ELEMENT(ConnectionConfig)
    QML_EXTENDED_NAMESPACE(Everwire::ConnectionConfig)
    QML_UNCREATABLE("it has enums only")
};

class MessageEnums : public QObject
{
    Q_OBJECT
    QML_NAMED_ELEMENT(Message)
    QML_EXTENDED_NAMESPACE(Everwire::Message)
    QML_UNCREATABLE("it has enums only")
};

} // namespace Everwire
