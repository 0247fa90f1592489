// SPDX-License-Identifier: MIT
#include "transport/frametransport.h"

#include "core/closecode.h"
#include "transport/pinning.h"
#include "transport/proxy.h"
#include "transport/tls.h"
#include "transport/transporterrors.h"

#include <algorithm>
#include <utility>

#ifdef Q_OS_UNIX
#include <poll.h>
#endif

#if QT_CONFIG(ssl)
#include <QSslSocket>
#endif

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// Over TLS less is slow and more makes memory grow; plain sockets gain nothing from more (design/transport.md).
constexpr qsizetype ReadSize = 64 * 1024;
// A peer that never stops sending must not keep the thread's other connections waiting.
constexpr int ReadsInOneTurn = 4;
// What the socket may hold of ours beyond what the system has taken.
constexpr qint64 SocketRoom = 128 * 1024;
constexpr qsizetype WriteSize = 64 * 1024;
constexpr qsizetype KeptCapacity = 64 * 1024;
// With more than this unsent pings are not answered: nobody who reads so slowly will miss it.
constexpr qsizetype PongRoom = 4 * 1024 * 1024;
// A text of more is sent uncompressed: zlib counts in 32 bits.
constexpr qsizetype MostDeflated = 1 << 30;
constexpr int MaxRedirects = 5;
// How long a refusal's body, or the end of the TCP connection behind a Close frame, is waited for.
constexpr milliseconds Patience{1000};

// What every connection of a thread reads into, so that an idle one holds no buffer.
class ReadBuffer
{
public:
    ReadBuffer() : m_bytes(std::exchange(spare(), nullptr))
    {
        if (!m_bytes)
            m_bytes = std::make_unique<Bytes>();
    }
    ~ReadBuffer() { spare() = std::move(m_bytes); }
    Q_DISABLE_COPY_MOVE(ReadBuffer)

    [[nodiscard]] char *data() { return m_bytes->data(); }

private:
    using Bytes = std::array<char, ReadSize + Padding>;
    // Empty while it is used: an event loop in a listener makes another.
    static std::unique_ptr<Bytes> &spare()
    {
        static thread_local std::unique_ptr<Bytes> theSpare;
        return theSpare;
    }

    std::unique_ptr<Bytes> m_bytes;
};

QString hostOf(const QUrl &url)
{
    const QString host = url.host(QUrl::FullyEncoded);
    const bool isIpv6 = host.contains(QLatin1Char(':')); // its zone is encoded in a URL (RFC 6874)
    return isIpv6 ? url.host(QUrl::FullyDecoded) : host;
}

} // namespace

FrameTransport::FrameTransport(Dialer::Resolver resolver) : m_resolver(std::move(resolver))
{
    m_patience.setSingleShot(true);
    QObject::connect(&m_patience, &QTimer::timeout, &m_context, [this] { lost(); });
}

FrameTransport::~FrameTransport()
{
    abort();
}

// ---- Opening ----

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
                                      QStringLiteral("Use one that was built with it")));
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
                                                 outcome.problem, m_target.proxy));
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
    QObject::connect(tls, &QSslSocket::encryptedBytesWritten, &m_context, [this] { flushAndTell(); });
    QObject::connect(tls, &QSslSocket::sslErrors, &m_context, [this, tls](const QList<QSslError> &errors) {
        const QString where = TransportErrors::where(m_target.url);
        if (Tls::areIgnored(errors, m_target.tls, where))
            tls->ignoreSslErrors(errors);
        else
            m_tlsEnd = Tls::untrusted(where, errors, m_target.tls);
    });
    QObject::connect(tls, &QSslSocket::encrypted, &m_context, [this, tls] {
        const QStringList &pins = m_target.tls.pinnedPublicKeys;
        const QString problem = pins.isEmpty() ? QString()
                                               : Pinning::problem(tls->peerCertificateChain(), pins,
                                                                  [this] { return Tls::authorities(m_tls); });
        if (problem.isEmpty())
            sendRequest();
        else
            finish(Tls::notPinned(TransportErrors::where(m_target.url), problem));
    });
#endif
}

void FrameTransport::tcpConnected()
{
    m_tcpConnected = true;
    m_socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    lookForAProxy();
    if (!m_isTls) {
        sendRequest();
        return;
    }
#if QT_CONFIG(ssl)
    auto *tls = static_cast<QSslSocket *>(m_socket);
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
    request.key = ClientHandshake::makeKey();
    m_handshake.emplace(std::move(request));
    m_out = m_handshake->request();
    flush();
}

// ---- Receiving ----

void FrameTransport::receive()
{
    if (m_isReading || m_stage == Stage::Ended || m_stage == Stage::Connecting)
        return;
    m_isReading = true;
    if (!m_held.isEmpty() && !m_isPaused) {
        const QByteArray held = std::exchange(m_held, {});
        take({held.constData(), held.size() - Padding});
    }
    bool isMore = true;
    for (int count = 0; isMore && count < ReadsInOneTurn; ++count)
        isMore = readSome();
    m_isReading = false;
    if (m_stage == Stage::Ended)
        return;
    if (m_outAt < m_out.size())
        flushAndTell();
    if (m_stage == Stage::Ended || m_isPaused || !m_held.isEmpty())
        return;
    if (isMore)
        receiveLater(); // a socket that buffers says readyRead() for new bytes only
    else if (m_socketIsGone)
        lost();
}

// A turn of the event loop later, for others to have theirs.
void FrameTransport::receiveLater()
{
    if (std::exchange(m_receiveIsPosted, true))
        return;
    QMetaObject::invokeMethod(
        &m_context,
        [this] {
            m_receiveIsPosted = false;
            receive();
        },
        Qt::QueuedConnection);
}

// Whether there may be more.
bool FrameTransport::readSome()
{
    if (m_isPaused || m_stage == Stage::Ended || (m_socketIsGone && !m_isTls))
        return false;
    ReadBuffer buffer;
    const qint64 size = m_socket->read(buffer.data(), ReadSize);
    if (size < 0)
        socketIsGone(); // unbuffered, no signal tells of the end
    if (size <= 0)
        return false;
    if (m_stage == Stage::Open && listener())
        listener()->transportAlive();
    take({buffer.data(), qsizetype(size)});
    if (m_stage == Stage::Ended || m_stage == Stage::Connecting) // again, to where it was redirected
        return false;
    if (m_isTls)
        return m_socket->bytesAvailable() > 0;
    // An event loop in a listener has heard of more and, because it did not read, made the socket deaf; reading nothing
    // mends that without a call of the system.
    m_socket->read(nullptr, 0);
    return size == ReadSize;
}

void FrameTransport::take(PaddedView input)
{
    if (m_stage == Stage::Upgrading && !takeAnswer(&input))
        return;
    if (m_stage == Stage::Open || m_stage == Stage::Closing)
        takeFrames(input);
}

// Whether frames may follow.
bool FrameTransport::takeAnswer(PaddedView *input)
{
    QByteArrayView bytes = input->bytes();
    const ClientHandshake::Outcome outcome = m_handshake->read(&bytes);
    *input = {bytes.data(), bytes.size()};
    switch (outcome) {
    case ClientHandshake::Outcome::Unfinished:
        if (m_handshake->isReadingBody() && !m_patience.isActive())
            m_patience.start(Patience);
        return false;
    case ClientHandshake::Outcome::Redirected: follow(m_handshake->location()); return false;
    case ClientHandshake::Outcome::Refused:
    case ClientHandshake::Outcome::Invalid: finish(whyNotConnected()); return false;
    case ClientHandshake::Outcome::Accepted: break;
    }
    const std::optional<DeflateParameters> deflate = m_handshake->deflate();
    m_handshake.reset();
    m_reader.emplace(m_target.maxIncomingSize, deflate);
    m_writer.emplace(m_target.maxFrameSize);
    if (deflate && Deflater::canCompress(*deflate))
        m_deflater.emplace(*deflate);
    m_stage = Stage::Open;
    if (listener())
        listener()->transportOpened();
    return true;
}

void FrameTransport::takeFrames(PaddedView input)
{
    while (!m_end && (m_stage == Stage::Open || m_stage == Stage::Closing)) {
        if (m_isPaused && m_stage == Stage::Open) {
            if (input.size() > 0)
                m_held = QByteArray(input.data(), input.size()) + QByteArray(Padding, '\0');
            return;
        }
        const Incoming incoming = m_reader->read(&input);
        if (incoming.kind == Incoming::Nothing)
            return;
        takeIncoming(incoming);
    }
}

void FrameTransport::takeIncoming(const Incoming &incoming)
{
    const bool isOpen = m_stage == Stage::Open;
    switch (incoming.kind) {
    case Incoming::Text:
        if (isOpen && listener())
            listener()->transportTextReceived(incoming.payload);
        break;
    case Incoming::Binary:
        if (isOpen && listener())
            listener()->transportBinaryReceived(m_reader->takePayload(incoming));
        break;
    case Incoming::Ping:
        // A peer that pings and never reads could fill our memory with answers.
        if (isOpen && m_out.size() - m_outAt < PongRoom) {
            m_writer->writeControl(&m_out, Opcode::Pong, incoming.payload.bytes());
            flushLater();
        }
        break;
    case Incoming::Close: {
        const QString reason = QString::fromUtf8(incoming.payload.bytes());
        if (isOpen)
            startClosing(incoming.closeCode, {});
        endAfterClose(
            TransportErrors::closed(TransportErrors::where(m_target.url), incoming.closeCode, reason));
        break;
    }
    case Incoming::Violation:
        if (isOpen)
            startClosing(incoming.closeCode, incoming.problem);
        endAfterClose({{ConnectionError::ProtocolViolation,
                        QStringLiteral("%1 broke the WebSocket protocol: %2")
                            .arg(TransportErrors::where(m_target.url), incoming.problem),
                        incoming.closeCode},
                       incoming.problem,
                       {}});
        break;
    case Incoming::Pong:
    case Incoming::Nothing: break;
    }
}

void FrameTransport::setPaused(bool paused)
{
    if (m_isPaused == paused || m_stage == Stage::Closing)
        return;
    m_isPaused = paused;
    if (!paused)
        receiveLater();
}

// The token goes with the first message to where the WebSocket opens, so that is the host that was configured,
// and TLS is never given up (rule A8).
void FrameTransport::follow(const QUrl &location)
{
    QUrl next = location;
    const QString scheme = next.scheme().toLower();
    if (scheme == QLatin1String("http"))
        next.setScheme(QStringLiteral("ws"));
    else if (scheme == QLatin1String("https"))
        next.setScheme(QStringLiteral("wss"));
    next.setFragment(QString());
    const bool isWebSocket = next.scheme() == QLatin1String("ws") || next.scheme() == QLatin1String("wss");
    const bool isSafe = isWebSocket && next.host() == m_target.url.host() &&
                        (!m_isTls || next.scheme() == QLatin1String("wss"));
    if (!m_target.followRedirects || !isSafe || m_redirects == MaxRedirects) {
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
    m_socketIsGone = false;
    connectToServer();
}

// ---- Sending ----

qint64 FrameTransport::sendText(const QByteArray &utf8)
{
    if (!canSend() || !m_deflater || utf8.size() < m_target.compressionThreshold ||
        utf8.size() > MostDeflated)
        return sendUncompressed(utf8);
    const QByteArrayView deflated = m_deflater->compress(utf8);
    m_bytesSaved += utf8.size() - deflated.size();
    return sent(m_writer->writeDeflated(&m_out, Opcode::Text, deflated));
}

qint64 FrameTransport::sendSecretText(const QByteArray &utf8)
{
    return sendUncompressed(utf8);
}

qint64 FrameTransport::sendUncompressed(const QByteArray &utf8)
{
    if (canSend())
        return sent(m_writer->writeText(&m_out, utf8));
    m_unsendable += utf8.size();
    return utf8.size();
}

qint64 FrameTransport::sendBinary(const QByteArray &bytes)
{
    if (canSend())
        return sent(m_writer->writeBinary(&m_out, bytes));
    m_unsendable += bytes.size();
    return bytes.size();
}

void FrameTransport::ping()
{
    if (!canSend())
        return;
    m_writer->writeControl(&m_out, Opcode::Ping, {});
    flushLater();
}

// Frames are gathered and written together: each write() is a system call, or a TLS record.
qint64 FrameTransport::sent(qint64 bytes)
{
    if (m_out.size() - m_outAt >= WriteSize) {
        flush();
        flushAndTellLater();
    } else {
        flushLater();
    }
    return bytes;
}

void FrameTransport::flushLater()
{
    if (!m_isReading && m_outAt < m_out.size()) // receive() flushes when it has read
        flushAndTellLater();
}

void FrameTransport::flushAndTellLater()
{
    if (std::exchange(m_flushIsPosted, true))
        return;
    QMetaObject::invokeMethod(
        &m_context,
        [this] {
            m_flushIsPosted = false;
            flushAndTell();
        },
        Qt::QueuedConnection);
}

void FrameTransport::flushAndTell()
{
    if (m_stage == Stage::Ended)
        return;
    if (m_isFlushing) { // the socket is on the stack, and the listener may abort() it
        flushAndTellLater();
        return;
    }
    flush();
    if (listener() && m_stage != Stage::Connecting && m_stage != Stage::Upgrading)
        listener()->transportWritten();
}

void FrameTransport::flush()
{
    if (m_stage == Stage::Connecting || m_stage == Stage::Ended || m_isFlushing || m_socketIsGone)
        return;
    // While we read, reading finds out first, all but always; asking before every write would halve the speed.
    if (m_isPaused && m_outAt < m_out.size() && socketBytesToWrite() < SocketRoom && peerHasLeft())
        return;
    // Over TLS, flush() reports what it has written only once, however often it is called from there.
    m_isFlushing = true;
    do {
        while (m_outAt < m_out.size() && socketBytesToWrite() < SocketRoom) {
            const qint64 size = std::min(m_out.size() - m_outAt, WriteSize);
            if (m_socket->write(m_out.constData() + m_outAt, size) != size) {
                // The peer has reset the connection, and the socket, unbuffered, has closed itself without a signal.
                socketIsGone();
                m_isFlushing = false;
                receiveLater();
                return;
            }
            m_outAt += size;
        }
        if (m_isTls)
            m_socket->flush();
    } while (m_outAt < m_out.size() && socketBytesToWrite() < SocketRoom);
    m_isFlushing = false;
    if (m_outAt == m_out.size()) {
        if (m_out.capacity() > KeptCapacity)
            m_out = {};
        m_out.resize(0);
        m_outAt = 0;
    } else if (m_outAt > m_out.size() / 2) {
        m_out.remove(0, m_outAt);
        m_outAt = 0;
    }
}

// A write to a peer that has gone meets a reset, at which Qt closes the socket: what the peer had said before, its Close
// frame perhaps, would be lost unread.
bool FrameTransport::peerHasLeft() const
{
#ifdef Q_OS_UNIX
    short hungUp = POLLHUP | POLLERR;
#ifdef POLLRDHUP
    hungUp |= POLLRDHUP;
#endif
    pollfd state{int(m_socket->socketDescriptor()), hungUp, 0};
    return state.fd >= 0 && poll(&state, 1, 0) > 0 && (state.revents & hungUp) != 0;
#else
    return false;
#endif
}

void FrameTransport::socketIsGone()
{
    if (!m_socketIsGone)
        m_unsendable += socketBytesToWrite(); // Qt forgets them now
    m_socketIsGone = true;
}

qint64 FrameTransport::socketBytesToWrite() const
{
    qint64 bytes = m_socket->bytesToWrite() + (m_tunnel ? m_tunnel->bytesToWrite() : 0);
#if QT_CONFIG(ssl)
    if (m_isTls)
        bytes += static_cast<const QSslSocket *>(m_socket)->encryptedBytesToWrite();
#endif
    return bytes;
}

qint64 FrameTransport::bytesToWrite() const
{
    return (m_socket && !m_socketIsGone ? socketBytesToWrite() : 0) + m_out.size() - m_outAt + m_unsendable;
}

qint64 FrameTransport::bytesSaved() const
{
    return m_bytesSaved + (m_reader ? m_reader->bytesSaved() : 0);
}

// ---- Ending ----

void FrameTransport::close(int code, const QString &reason)
{
    if (m_stage == Stage::Open)
        startClosing(code, reason);
    else if ((m_socket || m_dialer) && m_stage != Stage::Closing)
        QMetaObject::invokeMethod(
            &m_context,
            [this] {
                if (m_stage != Stage::Ended)
                    finish(whyNotConnected());
            },
            Qt::QueuedConnection);
}

void FrameTransport::startClosing(int code, const QString &reason)
{
    m_writer->writeClose(&m_out, code, reason);
    m_stage = Stage::Closing;
    flush();
    // From here on everything is read and thrown away: unread bytes would make a reset of our end, and the
    // peer would not see the Close.
    if (std::exchange(m_isPaused, false))
        receiveLater();
}

// Both have said goodbye, or nothing more can be read: the server ends the TCP connection (RFC 6455 §7.1.1).
void FrameTransport::endAfterClose(const TransportEnd &end)
{
    if (m_end)
        return;
    m_end = end;
    m_patience.start(Patience);
}

// The TCP connection is over, or has been waited for long enough.
void FrameTransport::lost()
{
    if (m_end)
        finish(*std::exchange(m_end, {})); // not ours any more, for the listener may delete us
    else if (m_stage == Stage::Upgrading && isRefusedByTls())
        finish(whyNotConnected());
    else if (m_stage == Stage::Upgrading && m_handshake->finish() != ClientHandshake::Outcome::Unfinished)
        finish(whyNotConnected());
    else
        finish(TransportErrors::lost(TransportErrors::where(m_target.url), m_socket->errorString()));
}

void FrameTransport::finish(const TransportEnd &end)
{
    if (m_stage == Stage::Ended)
        return;
    abort();
    if (listener())
        listener()->transportEnded(end);
}

void FrameTransport::abort()
{
    m_stage = Stage::Ended;
    m_patience.stop();
    m_held.clear();
    if (m_dialer)
        m_dialer->abort();
    if (!m_socket)
        return;
    m_unsendable = bytesToWrite();
    m_out.clear();
    m_outAt = 0;
    m_socket->disconnect(&m_context);
    m_socket->abort();
    m_tunnel = nullptr;
    std::exchange(m_socket, nullptr)->deleteLater();
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
                          "followed")
                          .arg(MaxRedirects);
        return {{ConnectionError::HandshakeFailed, message}, {}, m_handshake->retryAfter()};
    }
    if (m_tlsEnd)
        return *m_tlsEnd;
    if (!m_socket)
        return TransportErrors::notConnected(where, QAbstractSocket::OperationError,
                                             QStringLiteral("it was given up"), m_target.proxy);
#if QT_CONFIG(ssl)
    if (m_socket->error() == QAbstractSocket::SslInvalidUserDataError)
        return Tls::unusable(m_socket->errorString(), m_target.tls);
    if (m_isTls && m_tcpConnected)
        return Tls::failed(where, m_socket->errorString(), m_target.tls);
#endif
    return TransportErrors::notConnected(where, m_socket->error(), m_socket->errorString(), m_target.proxy);
}

} // namespace Everwire
