// SPDX-License-Identifier: MIT
#include "threadedpeer.h"

#include "apps.h"

#include <QThread>
#include <QWebSocket>

namespace Bench {

namespace {

class ThreadedClient final : public QtClient
{
public:
    ThreadedClient()
    {
        m_home.moveToThread(&m_thread);
        m_thread.start();
    }

    ~ThreadedClient() override
    {
        QMetaObject::invokeMethod(
            &m_home, [this] { delete m_socket; }, Qt::BlockingQueuedConnection);
        m_thread.quit();
        m_thread.wait();
    }

    void open(const QUrl &url, bool) override
    {
        post([this, url] {
            m_socket = new QWebSocket;
            QObject::connect(m_socket, &QWebSocket::connected, &m_context, [this] { listener()->opened(); });
            QObject::connect(m_socket, &QWebSocket::textMessageReceived, &m_context,
                             [this](const QString &text) { receive(text); });
            QObject::connect(m_socket, &QWebSocket::binaryMessageReceived, &m_context,
                             [this](const QByteArray &bytes) { listener()->binaryReceived(bytes); });
            QObject::connect(m_socket, &QWebSocket::disconnected, &m_context,
                             [this] { listener()->ended(QStringLiteral("disconnected")); });
            m_socket->open(url);
        });
    }

    [[nodiscard]] qint64 bytesToWrite() const override { return 0; } // nobody in this thread knows
    void flush() override {}
    void setPaused(bool) override {}

private:
    template<typename Function>
    void post(Function function)
    {
        QMetaObject::invokeMethod(&m_home, std::move(function), Qt::QueuedConnection);
    }
    void sendText(const QString &text) override
    {
        post([this, text] { m_socket->sendTextMessage(text); });
    }
    void sendBinary(const QByteArray &bytes) override
    {
        post([this, bytes] { m_socket->sendBinaryMessage(bytes); });
    }

    QThread m_thread;
    QObject m_home;                 // lives there
    QWebSocket *m_socket = nullptr; // as well
    QObject m_context;              // of what comes back; goes first
};

} // namespace

const Peer &threadedPeer()
{
    static const Peer peer = {QWebSocketThreaded,
                              [] { return std::unique_ptr<Client>(std::make_unique<ThreadedClient>()); },
                              Peer::None};
    return peer;
}

} // namespace Bench
