// SPDX-License-Identifier: MIT
#include "peers.h"

#include "librarypeer.h"
#include "threadedpeer.h"

#include "transport/frametransport.h"
#include "transport/qwebsockettransport.h"

#include <QSslSocket>
#include <QWebSocket>

#include <algorithm>
#include <utility>

namespace Bench {

namespace {

// QWebSocket as a user has it who knows it well.
class BareClient final : public QtClient
{
public:
    BareClient()
    {
        QObject::connect(&m_socket, &QWebSocket::connected, &m_context, [this] { listener()->opened(); });
        QObject::connect(&m_socket, &QWebSocket::textMessageReceived, &m_context,
                         [this](const QString &text) { receive(text); });
        QObject::connect(&m_socket, &QWebSocket::binaryMessageReceived, &m_context,
                         [this](const QByteArray &bytes) { listener()->binaryReceived(bytes); });
        QObject::connect(&m_socket, &QWebSocket::bytesWritten, &m_context, [this] { listener()->written(); });
        QObject::connect(&m_socket, &QWebSocket::disconnected, &m_context,
                         [this] { listener()->ended(m_socket.errorString()); });
    }

    void open(const QUrl &url, bool) override
    {
        m_socket.open(url);
        m_tls = m_socket.findChild<QSslSocket *>();
        // Over TLS its own bytesWritten() comes when a byte is encrypted.
        if (m_tls)
            QObject::connect(m_tls, &QSslSocket::encryptedBytesWritten, &m_context,
                             [this] { listener()->written(); });
    }

    [[nodiscard]] qint64 bytesToWrite() const override
    {
        return m_socket.bytesToWrite() + (m_tls ? m_tls->encryptedBytesToWrite() : 0);
    }
    void flush() override { m_socket.flush(); }
    void setPaused(bool) override {}

private:
    void sendText(const QString &text) override { m_socket.sendTextMessage(text); }
    void sendBinary(const QByteArray &bytes) override { m_socket.sendBinaryMessage(bytes); }

    QWebSocket m_socket;
    QSslSocket *m_tls = nullptr;
    QObject m_context; // goes before the socket, which has more to say while it goes
};

class TransportClient final : public Client, private Everwire::TransportListener
{
public:
    explicit TransportClient(std::unique_ptr<Everwire::Transport> transport)
        : m_transport(std::move(transport))
    {
        m_transport->setListener(this);
    }

    void open(const QUrl &url, bool compress) override
    {
        const Everwire::ConnectionConfig defaults;
        Everwire::TransportTarget target;
        target.url = url;
        target.maxFrameSize = defaults.maxFrameSize();
        target.maxIncomingSize = defaults.maxPendingBytes();
        target.compress = compress;
        target.compressionThreshold = defaults.compressionThreshold();
        m_transport->open(target);
    }

    void prepare(const std::vector<QByteArray> &messages, bool isText) override
    {
        m_messages = messages;
        m_isText = isText;
    }

    void send(size_t prepared) override
    {
        if (m_isText)
            m_transport->sendText(m_messages[prepared]);
        else
            m_transport->sendBinary(m_messages[prepared]);
    }

    [[nodiscard]] qint64 bytesToWrite() const override { return m_transport->bytesToWrite(); }
    void flush() override { m_transport->flush(); }
    void setPaused(bool paused) override { m_transport->setPaused(paused); }

private:
    void transportOpened() override { listener()->opened(); }
    void transportTextReceived(Everwire::PaddedView utf8) override { listener()->textReceived(utf8); }
    void transportBinaryReceived(QByteArray bytes) override { listener()->binaryReceived(bytes); }
    void transportAlive() override {}
    void transportWritten() override { listener()->written(); }
    void transportEnded(const Everwire::TransportEnd &end) override
    {
        listener()->ended(end.error.message());
    }

    std::unique_ptr<Everwire::Transport> m_transport;
    std::vector<QByteArray> m_messages;
    bool m_isText = true;
};

template<typename T>
std::unique_ptr<Client> transport()
{
    return std::make_unique<TransportClient>(std::make_unique<T>());
}

} // namespace

const std::vector<Peer> &peers()
{
    // One line for each.
    static const std::vector<Peer> all = {
        {"QWebSocket", [] { return std::unique_ptr<Client>(std::make_unique<BareClient>()); }, Peer::None},
        {"QWebSocketTransport", transport<Everwire::QWebSocketTransport>, Peer::None},
        {"FrameTransport", transport<Everwire::FrameTransport>,
         Peer::Judged | Peer::Compresses | Peer::Pauses},
    };
    return all;
}

const Peer *findPeer(const QString &name)
{
    if (name == QLatin1String(libraryPeer().name))
        return &libraryPeer();
    if (name == QLatin1String(threadedPeer().name))
        return &threadedPeer();
    const auto it = std::find_if(peers().begin(), peers().end(),
                                 [&name](const Peer &peer) { return name == QLatin1String(peer.name); });
    return it == peers().end() ? nullptr : &*it;
}

} // namespace Bench
