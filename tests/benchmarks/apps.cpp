// SPDX-License-Identifier: MIT
#include "apps.h"

#include "librarysetup.h"

#include <Everwire/Connection>

#include <QHash>
#include <QJsonDocument>
#include <QJsonObject>
#include <QWebSocket>

#include <functional>

namespace Bench {

namespace {

class QWebSocketApp : public App
{
public:
    QWebSocketApp()
    {
        QObject::connect(&m_socket, &QWebSocket::textMessageReceived, &m_context,
                         [this](const QString &text) { receive(text); });
        QObject::connect(&m_socket, &QWebSocket::binaryMessageReceived, &m_context,
                         [this](const QByteArray &bytes) { listener()->binaryReceived(bytes); });
        QObject::connect(&m_socket, &QWebSocket::disconnected, &m_context,
                         [this] { listener()->ended(m_socket.errorString()); });
    }

    void open(const QUrl &url) override { m_socket.open(url); }

protected:
    virtual void receive(const QString &) { listener()->answeredUnread(); }

private:
    QWebSocket m_socket;
    QObject m_context; // goes before the socket, which has more to say while it goes
};

// What somebody writes without this library.
class QwsJsonApp final : public QWebSocketApp
{
public:
    QwsJsonApp()
    {
        m_handlers[QStringLiteral("ai_response")] = [this](const QJsonObject &event) {
            listener()->answered(
                {event[QLatin1String("content")].toString(), event[QLatin1String("timestamp")].toString()});
        };
        m_handlers[QStringLiteral("begin")] = [this](const QJsonObject &) { listener()->begun(); };
        m_handlers[QStringLiteral("end")] = [this](const QJsonObject &) { listener()->over(); };
    }

private:
    void receive(const QString &text) override
    {
        const QJsonObject event = QJsonDocument::fromJson(text.toUtf8()).object();
        const auto it = m_handlers.constFind(event[QLatin1String("type")].toString());
        if (it != m_handlers.constEnd())
            (*it)(event);
    }

    QHash<QString, std::function<void(const QJsonObject &)>> m_handlers;
};

class LibraryApp final : public App
{
public:
    LibraryApp(Everwire::ConnectionConfig::Transport transport, bool reads)
        : m_transport(transport), m_reads(reads)
    {
    }

    void open(const QUrl &url) override
    {
        Everwire::Connection *connection = makeConnection(url, m_transport);
        const QString answers = QStringLiteral("ai_response");
        if (m_reads)
            connection->subscribe(answers, &m_context,
                                  [this](const Answer &answer) { listener()->answered(answer); });
        else
            connection->subscribe(answers, &m_context,
                                  [this](const Everwire::Message &) { listener()->answeredUnread(); });
        connection->subscribe(QStringLiteral("begin"), &m_context, [this] { listener()->begun(); });
        connection->subscribe(QStringLiteral("end"), &m_context, [this] { listener()->over(); });
        QObject::connect(connection, &Everwire::Connection::binaryMessageReceived, &m_context,
                         [this](const QByteArray &bytes) { listener()->binaryReceived(bytes); });
        QObject::connect(
            connection, &Everwire::Connection::errorOccurred, &m_context,
            [this](const Everwire::ConnectionError &error) { listener()->ended(error.message()); });
        connection->open();
    }

private:
    Everwire::ConnectionConfig::Transport m_transport;
    bool m_reads;
    QObject m_context;
};

} // namespace

std::unique_ptr<App> makeApp(const QString &name)
{
    using Transport = Everwire::ConnectionConfig::Transport;
    if (name == QLatin1String(QWebSocketOnly))
        return std::make_unique<QWebSocketApp>();
    if (name == QLatin1String(QwsJson))
        return std::make_unique<QwsJsonApp>();
    if (name == QLatin1String(Library))
        return std::make_unique<LibraryApp>(Transport::Automatic, true);
    if (name == QLatin1String(LibraryQws))
        return std::make_unique<LibraryApp>(Transport::QWebSocket, true);
    if (name == QLatin1String(LibraryUnread))
        return std::make_unique<LibraryApp>(Transport::Automatic, false);
    return nullptr;
}

} // namespace Bench
