// SPDX-License-Identifier: MIT
#pragma once

#include <QProcess>
#include <QTemporaryDir>
#include <QUrl>

#include <memory>

class QWebSocketServer;

// A server that is not ours, as long as this lives. Not running: problem() says what is missing.
class Peer
{
public:
    virtual ~Peer() = default;
    Peer() = default;
    Q_DISABLE_COPY_MOVE(Peer)

    [[nodiscard]] QUrl url() const { return m_url; }
    [[nodiscard]] QString problem() const { return m_problem; }
    // How the clients have closed, "1000 bye", in the order in which they did.
    [[nodiscard]] virtual QStringList closings() { return {}; }

protected:
    QUrl m_url;
    QString m_problem;
};

// A process that has ended when this is destroyed.
class ProcessPeer : public Peer
{
public:
    ~ProcessPeer() override;

protected:
    // Until it listens at the port, or, where that is 0, has said "listening on URL".
    void run(const QString &program, const QStringList &arguments, const char *package,
             const QString &deflate = {}, quint16 port = 0);

    QProcess m_process;
    QByteArray m_printed;
};

// One of tests/peers.
class EchoPeer final : public ProcessPeer
{
public:
    enum class Language { Node, Python };

    EchoPeer(Language language, const QString &deflate);
    [[nodiscard]] QStringList closings() override;
};

// In front of an echo server: at url(), over TLS at tlsUrl(); nothing answers behind /down.
class NginxPeer final : public ProcessPeer
{
public:
    explicit NginxPeer(const QUrl &behind);
    [[nodiscard]] QUrl tlsUrl() const { return m_tlsUrl; }

private:
    QTemporaryDir m_dir;
    QUrl m_tlsUrl;
};

// libwebsockets-test-server: lws-mirror-protocol sends each text to all, dumb-increment-protocol counts.
class LwsPeer final : public ProcessPeer
{
public:
    LwsPeer();
};

class QWebSocketPeer final : public Peer
{
public:
    QWebSocketPeer();
    ~QWebSocketPeer() override;
    [[nodiscard]] QStringList closings() override { return m_closings; }

private:
    std::unique_ptr<QWebSocketServer> m_server;
    QStringList m_closings;
};
