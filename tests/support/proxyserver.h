// SPDX-License-Identifier: MIT
#pragma once

#include <QNetworkProxy>
#include <QObject>
#include <QTcpServer>

class QTcpSocket;

// An HTTP proxy that knows CONNECT (RFC 9110 §9.3.6), or a SOCKS5 proxy (RFC 1928) without authentication, on loopback.
// Lives on the test's thread. While it lives it is the application's proxy; Qt asks none for the names and addresses of
// loopback, so the name it is asked for is Host, which it knows as 127.0.0.1.
class ProxyServer : public QObject
{
    Q_OBJECT

public:
    enum class Kind { Http, Socks5 };
    static constexpr auto Host = "server.test";

    explicit ProxyServer(Kind kind, bool refuses = false);
    ~ProxyServer() override;

    // The same proxy as the option proxy wants it.
    [[nodiscard]] QString url() const;

    // Takes no more of what clients send, and takes it again.
    void hold();
    void goOn();

    [[nodiscard]] int tunnels() const { return m_tunnels; } // that it has opened

Q_SIGNALS:
    void goesOn();

private:
    // Wait until what a client begins with is whole, and then open its tunnel.
    void greet(QTcpSocket *client);
    void greetHttp(QTcpSocket *client);
    void greetSocks(QTcpSocket *client);
    void connectThrough(QTcpSocket *client, quint16 port, const QByteArray &yes);

    Kind m_kind;
    bool m_refuses;
    QTcpServer m_server;
    QNetworkProxy m_before;
    bool m_holds = false;
    int m_tunnels = 0;
};
