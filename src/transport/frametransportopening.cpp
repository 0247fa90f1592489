// SPDX-License-Identifier: MIT
//
// How a FrameTransport gets from a URL to its request: addresses, proxies, TLS, and why none of it worked. What comes then
// is in frametransport.cpp.
#include "transport/frametransport.h"

#include "core/origin.h"
#include "transport/pinning.h"
#include "transport/proxy.h"
#include "transport/tls.h"
#include "transport/transporterrors.h"

#include <utility>

#if QT_CONFIG(ssl)
#include <QSslSocket>
#endif

namespace Everwire {

namespace {

constexpr int MaxRedirects = 5;

QString hostOf(const QUrl &url)
{
    const QString host = url.host(QUrl::FullyEncoded);
    const bool isIpv6 = host.contains(QLatin1Char(':')); // its zone is encoded in a URL (RFC 6874)
    return isIpv6 ? url.host(QUrl::FullyDecoded) : host;
}

} // namespace

void FrameTransport::open(const TransportTarget &target)
{
    m_target = target;
    m_proxy = Proxy::fromOption(target.proxy);
    connectToServer();
}

void FrameTransport::connectToServer()
{
    m_stage = Stage::Connecting;
    m_isTls = m_target.url.scheme().compare(QLatin1String("wss"), Qt::CaseInsensitive) == 0;
    m_tcpConnected = false;
    if (m_isTls && !prepareTls())
        return;
    const QString host = hostOf(m_target.url);
    const quint16 port = quint16(m_target.url.port(m_isTls ? 443 : 80));
    if (QHostAddress().setAddress(host) || Proxy::isBetween(m_proxy, host, port))
        connectByName(host, port);
    else
        connectByAddress(host, port);
}

// False: it has ended.
bool FrameTransport::prepareTls()
{
#if QT_CONFIG(ssl)
    QString problem;
    m_tls = Tls::configuration(m_target.tls, &problem);
    if (!problem.isEmpty())
        finish(TransportErrors::badOption(problem));
    return problem.isEmpty();
#else
    finish(TransportErrors::tlsFailed(TransportErrors::where(m_target.url),
                                      QStringLiteral("this Qt was built without TLS"),
                                      QStringLiteral("Use one that was built with it"), secrets()));
    return false;
#endif
}

QTcpSocket *FrameTransport::makeSocket() const
{
#if QT_CONFIG(ssl)
    if (m_isTls) {
        auto *socket = new QSslSocket;
        socket->setReadBufferSize(ReadSize);
        socket->setSslConfiguration(m_tls);
        return socket;
    }
#endif
    return new QTcpSocket;
}

// Unbuffered, read() goes to the system, so not reading is what pauses the peer.
QIODevice::OpenMode FrameTransport::openMode() const
{
    return m_isTls ? QIODevice::ReadWrite : QIODevice::ReadWrite | QIODevice::Unbuffered;
}

// A proxy finds the name's addresses; an address has no others.
void FrameTransport::connectByName(const QString &host, quint16 port)
{
    m_socket = makeSocket();
    if (m_proxy)
        m_socket->setProxy(*m_proxy);
    connectSignals();
    QObject::connect(m_socket, &QTcpSocket::connected, &m_context, [this] { tcpConnected(); });
    m_socket->connectToHost(host, port, openMode());
}

void FrameTransport::connectByAddress(const QString &host, quint16 port)
{
    const auto make = [this] {
        QTcpSocket *socket = makeSocket();
        socket->setProxy(QNetworkProxy::NoProxy); // which was asked for the name already
        return socket;
    };
    m_dialer = std::make_unique<Dialer>(m_resolver, make, [this](const Dialer::Outcome &outcome) {
        m_socket = outcome.socket;
        if (m_socket) {
            connectSignals();
            tcpConnected();
        } else {
            finish(TransportErrors::notConnected(TransportErrors::where(m_target.url), outcome.error,
                                                 outcome.problem, m_target.proxy, secrets()));
        }
    });
    m_dialer->dial(host, port, openMode());
}

void FrameTransport::connectSignals()
{
    QObject::connect(m_socket, &QTcpSocket::readyRead, &m_context, [this] { receive(); });
    QObject::connect(m_socket, &QTcpSocket::bytesWritten, &m_context, [this] { flushAndTell(); });
    const auto gone = [this] {
        if (m_stage == Stage::Connecting) {
            finish(whyNotConnected());
            return;
        }
        socketIsGone();
        receive();
    };
    QObject::connect(m_socket, &QTcpSocket::disconnected, &m_context, gone);
    QObject::connect(m_socket, &QTcpSocket::errorOccurred, &m_context, gone);
    if (m_isTls)
        connectTlsSignals();
}

void FrameTransport::connectTlsSignals()
{
#if QT_CONFIG(ssl)
    auto *tls = static_cast<QSslSocket *>(m_socket);
    QObject::connect(tls, &QSslSocket::sslErrors, &m_context, [this, tls](const QList<QSslError> &errors) {
        const QString where = TransportErrors::where(m_target.url);
        if (Tls::areIgnored(errors, m_target.tls, where))
            tls->ignoreSslErrors(errors);
        else
            m_tlsEnd = Tls::untrusted(where, errors, m_target.tls, secrets());
    });
    QObject::connect(tls, &QSslSocket::encrypted, &m_context, [this, tls] {
        const QStringList &pins = m_target.tls.pinnedPublicKeys;
        const QString problem = pins.isEmpty() ? QString()
                                               : Pinning::problem(tls->peerCertificateChain(), pins,
                                                                  [this] { return Tls::authorities(m_tls); });
        if (problem.isEmpty())
            sendRequest();
        else
            finish(Tls::notPinned(TransportErrors::where(m_target.url), problem, secrets()));
    });
#endif
}

void FrameTransport::tcpConnected()
{
    m_tcpConnected = true;
    m_socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    lookForAProxy();
    // Not with SOCKS5: while Qt's SOCKS5 engine is busy writing, it does not report what it has
    // read.
    if (!m_isBehindSocks)
        SystemSocket::limitUnsent(systemDescriptor());
    if (!m_isTls) {
        sendRequest();
        return;
    }
#if QT_CONFIG(ssl)
    auto *tls = static_cast<QSslSocket *>(m_socket);
    // Unlike encryptedBytesWritten(), channelBytesWritten() is emitted for every byte, also for
    // those that a slot writes.
    const auto *below = tls->findChild<QTcpSocket *>(QString(), Qt::FindDirectChildrenOnly);
    QObject::connect(below, &QTcpSocket::channelBytesWritten, &m_context, [this](int, qint64 bytes) {
        m_encryptedWritten += bytes;
        flushAndTell();
    });
    tls->setPeerVerifyName(hostOf(m_target.url)); // the name in SNI, too, whatever address it has
    tls->startClientEncryption();
#endif
}

// Behind a proxy Qt's socket has an engine with a socket of its own, which takes every byte at once.
void FrameTransport::lookForAProxy()
{
    m_tunnel = nullptr;
    m_isBehindSocks = false;
    const QList<QTcpSocket *> sockets = m_socket->findChildren<QTcpSocket *>();
    for (QTcpSocket *socket : sockets) {
        if (qobject_cast<QAbstractSocket *>(socket->parent())) // what is below TLS
            continue;
        m_isBehindSocks = socket->parent()->inherits("QSocks5SocketEngine");
        m_tunnel = socket;
        QObject::connect(m_tunnel, &QTcpSocket::bytesWritten, &m_context, [this] { flushAndTell(); });
    }
}

void FrameTransport::sendRequest()
{
    m_stage = Stage::Upgrading;
    ClientHandshake::Request request;
    request.url = m_target.url;
    request.protocols = m_target.protocols;
    request.headers = m_target.headers;
    request.offerDeflate = m_target.compress;
    request.secrets = secrets();
    request.key = ClientHandshake::makeKey();
    m_handshake = std::make_unique<ClientHandshake>(std::move(request));
    m_out = m_handshake->request();
    flush();
}

// Whether the redirect may be followed: only on the same host, and never from TLS to plain. With
// credentials, only at the same origin (rule A8): the first message would carry the token, and the
// request the headers, to the new address.
bool FrameTransport::mayFollow(const QUrl &next) const
{
    const bool isWebSocket = next.scheme() == QLatin1String("ws") || next.scheme() == QLatin1String("wss");
    return isWebSocket && next.host() == m_target.url.host() &&
           (!m_isTls || next.scheme() == QLatin1String("wss")) &&
           (!m_target.hasCredentials || isSameOrigin(next, m_target.url));
}

void FrameTransport::follow(const QUrl &location)
{
    QUrl next = location;
    const QString scheme = next.scheme().toLower();
    if (scheme == QLatin1String("http"))
        next.setScheme(QStringLiteral("ws"));
    else if (scheme == QLatin1String("https"))
        next.setScheme(QStringLiteral("wss"));
    next.setFragment(QString());
    next.setUserInfo(QString());
    if (!m_target.followRedirects || !mayFollow(next) || m_redirects == MaxRedirects) {
        finish(whyNotConnected());
        return;
    }
    ++m_redirects;
    m_target.url = next;
    m_socket->disconnect(&m_context);
    m_socket->abort();
    std::exchange(m_socket, nullptr)->deleteLater();
    m_handshake.reset();
    m_tlsEnd.reset();
    m_out.clear();
    m_outAt = 0;
    m_records = {};
    m_encryptedWritten = 0;
    m_socketIsGone = false;
    connectToServer();
}

// With TLS 1.3 a server looks at the client's certificate when the handshake is over for the client.
bool FrameTransport::isRefusedByTls() const
{
#if QT_CONFIG(ssl)
    return m_isTls && m_socket && Tls::isAlert(m_socket->errorString());
#else
    return false;
#endif
}

TransportEnd FrameTransport::whyNotConnected() const
{
    const QString where = TransportErrors::where(m_target.url);
    if (m_handshake && !isRefusedByTls()) {
        QString message =
            QStringLiteral("%1 did not open a WebSocket: %2").arg(where, m_handshake->problem());
        if (!m_handshake->location().isEmpty())
            message +=
                !m_target.followRedirects
                    ? QStringLiteral(". Use that URL, or set followRedirects")
                    : QStringLiteral(
                          ". Only redirects to the same host, never from wss to ws and at most %1, are "
                          "followed%2")
                          .arg(MaxRedirects)
                          .arg(m_target.hasCredentials
                                   ? QStringLiteral("; with a token or headers, only those to the same "
                                                    "scheme, host and port")
                                   : QString());
        return {{ConnectionError::HandshakeFailed, message}, {}, m_handshake->retryAfter()};
    }
    if (m_tlsEnd)
        return *m_tlsEnd;
    if (!m_socket)
        return TransportErrors::notConnected(where, QAbstractSocket::OperationError,
                                             QStringLiteral("it was given up"), m_target.proxy, secrets());
#if QT_CONFIG(ssl)
    if (m_socket->error() == QAbstractSocket::SslInvalidUserDataError)
        return Tls::unusable(m_socket->errorString(), m_target.tls);
    if (m_isTls && m_tcpConnected)
        return Tls::failed(where, m_socket->errorString(), m_target.tls, secrets());
#endif
    return TransportErrors::notConnected(where, m_socket->error(), m_socket->errorString(), m_target.proxy,
                                         secrets());
}

} // namespace Everwire
