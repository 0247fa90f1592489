// SPDX-License-Identifier: MIT
#pragma once

#include "support/rawserver.h"

#include "transport/frametransport.h"
#include "transport/qwebsockettransport.h"

#include <QSslConfiguration>

#include <functional>
#include <memory>
#include <vector>

// Every transport there is, for suites that all of them must pass.
struct TransportKind
{
    const char *name;
    std::unique_ptr<Everwire::Transport> (*make)();
    bool compresses; // speaks permessage-deflate
};

template<typename T>
std::unique_ptr<Everwire::Transport> made()
{
    return std::make_unique<T>();
}

inline const std::vector<TransportKind> &transportKinds()
{
    static const std::vector<TransportKind> kinds{
        {"Frame", made<Everwire::FrameTransport>, true},
        {"QWebSocket", made<Everwire::QWebSocketTransport>, false},
    };
    return kinds;
}

// Writes down what a transport reports, in its order.
struct TransportRecorder final : Everwire::TransportListener
{
    void transportOpened() override { note(++opened); }
    void transportTextReceived(Everwire::PaddedView utf8) override { receive('t' + utf8.toByteArray()); }
    void transportBinaryReceived(QByteArray bytes) override { receive('b' + bytes); }
    void transportAlive() override { note(++alive); }
    void transportWritten() override
    {
        note(++written);
        if (onWritten)
            onWritten();
    }
    void transportEnded(const Everwire::TransportEnd &end) override
    {
        note(0);
        ends.append(end);
        if (onEnd)
            onEnd();
    }

    int opened = 0;
    int alive = 0;
    int written = 0;
    int afterTheEnd = 0;        // reports that came when nothing may come any more
    QList<QByteArray> messages; // each behind a 't' or a 'b'
    QList<Everwire::TransportEnd> ends;
    // Called inside the transport's call.
    std::function<void()> onMessage;
    std::function<void()> onWritten;
    std::function<void()> onEnd;

private:
    void note(int) { afterTheEnd += ends.isEmpty() ? 0 : 1; }
    void receive(const QByteArray &message)
    {
        note(0);
        messages.append(message);
        if (onMessage)
            onMessage();
    }
};

// The raw server's certificate is good while this lives.
class TrustInRawServer
{
public:
    TrustInRawServer() : m_before(QSslConfiguration::defaultConfiguration())
    {
        QSslConfiguration trusting = m_before;
        trusting.addCaCertificate(RawServer::certificate());
        QSslConfiguration::setDefaultConfiguration(trusting);
    }
    ~TrustInRawServer() { QSslConfiguration::setDefaultConfiguration(m_before); }
    Q_DISABLE_COPY_MOVE(TrustInRawServer)

private:
    QSslConfiguration m_before;
};
