// SPDX-License-Identifier: MIT
#include "support/testserver.h"

#include <QJsonDocument>
#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketServer>

namespace {

// Qt names a few codes only, and takes any.
QWebSocketProtocol::CloseCode closeCode(int code)
{
    return static_cast<QWebSocketProtocol::CloseCode>(code);
}

} // namespace

TestServer::TestServer(Auth auth) : m_context(std::make_unique<QObject>()), m_auth(auth)
{
    m_context->moveToThread(&m_thread);
    m_thread.start();
    QMetaObject::invokeMethod(
        m_context.get(), [this] { start(); }, Qt::BlockingQueuedConnection);
}

TestServer::~TestServer()
{
    QMetaObject::invokeMethod(
        m_context.get(),
        [this] {
            for (QWebSocket *socket : std::as_const(m_sockets)) {
                socket->disconnect();
                delete socket;
            }
            delete m_server;
            const QMutexLocker lock(&m_mutex); // with the one below: an end that ThreadSanitizer sees
        },
        Qt::BlockingQueuedConnection);
    m_thread.quit();
    m_thread.wait();
    const QMutexLocker lock(&m_mutex);
}

void TestServer::start()
{
    m_server = new QWebSocketServer(QStringLiteral("everwire-test"), QWebSocketServer::NonSecureMode);
    connect(m_server, &QWebSocketServer::newConnection, m_context.get(), [this] { accept(); });
    if (!m_server->listen(QHostAddress::LocalHost))
        qFatal("the test server cannot listen: %s", qPrintable(m_server->errorString()));
    m_url = QUrl(QStringLiteral("ws://127.0.0.1:%1/").arg(m_server->serverPort()));
}

void TestServer::accept()
{
    while (QWebSocket *socket = m_server->nextPendingConnection()) {
        int number = 0;
        {
            const QMutexLocker lock(&m_mutex);
            number = ++m_connections;
            ++m_open;
        }
        m_sockets.append(socket);
        // Nagle's algorithm would have every second small message wait 40 ms for the client's acknowledgement.
        const QList<QTcpSocket *> sockets = m_server->findChildren<QTcpSocket *>(); // no QWebSocket owns one
        for (QTcpSocket *tcp : sockets)
            tcp->setSocketOption(QAbstractSocket::LowDelayOption, 1);
        connect(
            socket, &QWebSocket::textMessageReceived, m_context.get(),
            [this, socket, number](const QString &text) { receive(socket, number, text.toUtf8(), false); });
        connect(socket, &QWebSocket::binaryMessageReceived, m_context.get(),
                [this, socket, number](const QByteArray &bytes) { receive(socket, number, bytes, true); });
        connect(socket, &QWebSocket::disconnected, m_context.get(), [this, socket] {
            {
                const QMutexLocker lock(&m_mutex);
                --m_open;
                m_lastCloseCode = socket->closeCode();
                m_lastCloseReason = socket->closeReason();
            }
            m_sockets.removeOne(socket);
            socket->deleteLater();
        });
        Q_EMIT connectionOpened();
    }
}

void TestServer::receive(QWebSocket *socket, int number, const QByteArray &bytes, bool isBinary)
{
    const QJsonObject message = isBinary ? QJsonObject() : QJsonDocument::fromJson(bytes).object();
    {
        const QMutexLocker lock(&m_mutex);
        m_received.push_back({number, bytes, isBinary});
    }
    if (message.value(QLatin1String("type")) == QLatin1String("auth"))
        answerAuthentication(socket, message);
    Q_EMIT messageReceived();
}

void TestServer::answerAuthentication(QWebSocket *socket, const QJsonObject &message)
{
    const QString token = message.value(QLatin1String("token")).toString();
    Auth auth = Auth::Accept;
    {
        const QMutexLocker lock(&m_mutex);
        m_tokens.push_back(token.toUtf8());
        auth = m_auth;
    }
    if (auth == Auth::Silent || auth == Auth::None)
        return;
    const bool form2 = auth == Auth::RefuseForm2;
    if (auth == Auth::Accept && token != QLatin1String("bad")) {
        socket->sendTextMessage(QStringLiteral(
            R"({"type":"auth_success","session_id":"sess_1","user_id":"user_1","timestamp":"2026-01-28T10:00:00Z"})"));
        return;
    }
    socket->sendTextMessage(
        form2 ? QStringLiteral(R"({"type":"error","payload":{"error":"token expired","code":"auth_failed"}})")
              : QStringLiteral(R"({"type":"auth_error","error":"Invalid token"})"));
    socket->close(closeCode(4001), QStringLiteral("Authentication failed"));
}

// Handed over under our own lock, which ThreadSanitizer sees, and not inside Qt's event.
void TestServer::onServerThread(std::function<void()> function)
{
    {
        const QMutexLocker lock(&m_mutex);
        m_calls.push_back(std::move(function));
    }
    QMetaObject::invokeMethod(
        m_context.get(), [this] { makeCalls(); }, Qt::QueuedConnection);
}

void TestServer::makeCalls()
{
    std::vector<std::function<void()>> calls;
    {
        const QMutexLocker lock(&m_mutex);
        calls.swap(m_calls);
    }
    for (const auto &call : calls)
        call();
}

void TestServer::setAuth(Auth auth)
{
    const QMutexLocker lock(&m_mutex);
    m_auth = auth;
}

QList<TestServer::Received> TestServer::received() const
{
    const QMutexLocker lock(&m_mutex);
    return {m_received.begin(), m_received.end()};
}

QList<QByteArray> TestServer::messages() const
{
    QList<QByteArray> list;
    for (const Received &one : received()) {
        if (one.isBinary || !one.bytes.contains("\"type\":\"auth\""))
            list.append(one.bytes);
    }
    return list;
}

QList<QByteArray> TestServer::tokens() const
{
    const QMutexLocker lock(&m_mutex);
    return {m_tokens.begin(), m_tokens.end()};
}

void TestServer::clear()
{
    const QMutexLocker lock(&m_mutex);
    m_received.clear();
    m_tokens.clear();
}

int TestServer::connectionsSoFar() const
{
    const QMutexLocker lock(&m_mutex);
    return m_connections;
}

int TestServer::openConnections() const
{
    const QMutexLocker lock(&m_mutex);
    return m_open;
}

int TestServer::lastCloseCode() const
{
    const QMutexLocker lock(&m_mutex);
    return m_lastCloseCode;
}

QString TestServer::lastCloseReason() const
{
    const QMutexLocker lock(&m_mutex);
    return m_lastCloseReason;
}

void TestServer::sendText(const QByteArray &text)
{
    sendMany(1, [text](int) { return text; });
}

void TestServer::sendMany(int count, const std::function<QByteArray(int)> &text)
{
    onServerThread([this, count, text] {
        for (QWebSocket *socket : std::as_const(m_sockets)) {
            for (int i = 0; i < count; ++i)
                socket->sendTextMessage(QString::fromUtf8(text(i)));
        }
    });
}

void TestServer::sendBinary(const QByteArray &bytes)
{
    onServerThread([this, bytes] {
        for (QWebSocket *socket : std::as_const(m_sockets))
            socket->sendBinaryMessage(bytes);
    });
}

void TestServer::close(int code, const QString &reason)
{
    onServerThread([this, code, reason] {
        const QList<QWebSocket *> sockets = m_sockets;
        for (QWebSocket *socket : sockets)
            socket->close(closeCode(code), reason);
    });
}

void TestServer::drop()
{
    onServerThread([this] {
        const QList<QWebSocket *> sockets = m_sockets;
        for (QWebSocket *socket : sockets)
            socket->abort();
    });
}
