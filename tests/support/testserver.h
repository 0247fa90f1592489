// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>
#include <QList>
#include <QMutex>
#include <QObject>
#include <QThread>
#include <QUrl>

#include <functional>
#include <memory>
#include <vector>

class QWebSocket;
class QWebSocketServer;

// A backend for tests, on a thread of its own, on a port of its own: authenticates by first message as the
// wire protocol says, remembers what it got and does what the test says. All functions are thread-safe.
class TestServer : public QObject
{
    Q_OBJECT

public:
    enum class Auth {
        Accept,      // every token but "bad"
        RefuseForm1, // {"type":"auth_error"}, then 4001
        RefuseForm2, // {"type":"error","payload":…}, then 4001
        Silent,      // never answers
        None,        // wants none
    };

    struct Received
    {
        int connection = 0; // from 1, in the order in which they came
        QByteArray bytes;
        bool isBinary = false;
    };

    explicit TestServer(Auth auth = Auth::Accept);
    ~TestServer() override;

    [[nodiscard]] QUrl url() const { return m_url; }
    void setAuth(Auth auth);

    // Everything received since the last clear(), authentication included.
    [[nodiscard]] QList<Received> received() const;
    // The texts among it without authentication, and the binary messages.
    [[nodiscard]] QList<QByteArray> messages() const;
    [[nodiscard]] QList<QByteArray> tokens() const;
    void clear();
    [[nodiscard]] int connectionsSoFar() const;
    [[nodiscard]] int openConnections() const;
    // How the last connection to end was closed by the client; 0: by nobody.
    [[nodiscard]] int lastCloseCode() const;
    [[nodiscard]] QString lastCloseReason() const;

    // To every open connection.
    void sendText(const QByteArray &text);
    void sendMany(int count, const std::function<QByteArray(int)> &text);
    void sendBinary(const QByteArray &bytes);
    void close(int code, const QString &reason = {});
    void drop(); // without a Close frame

Q_SIGNALS:
    void connectionOpened();
    void messageReceived();

private:
    void start();
    void accept();
    void receive(QWebSocket *socket, int number, const QByteArray &bytes, bool isBinary);
    void answerAuthentication(QWebSocket *socket, const QJsonObject &message);
    void onServerThread(std::function<void()> function);
    void makeCalls();

    QThread m_thread;
    std::unique_ptr<QObject> m_context;
    QWebSocketServer *m_server = nullptr;
    QList<QWebSocket *> m_sockets;
    QUrl m_url;

    mutable QMutex m_mutex; // guards all below
    // Not Qt containers: copies that share with ours are no hand-over that ThreadSanitizer understands.
    std::vector<Received> m_received;
    std::vector<QByteArray> m_tokens;
    std::vector<std::function<void()>> m_calls;
    QString m_lastCloseReason;
    Auth m_auth;
    int m_connections = 0;
    int m_open = 0;
    int m_lastCloseCode = 0;
};
