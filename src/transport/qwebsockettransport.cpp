// SPDX-License-Identifier: MIT
#include "transport/qwebsockettransport.h"

#include "core/closecode.h"
#include "core/peertext.h"
#include "core/scalartext.h"
#include "transport/proxy.h"
#include "transport/tls.h"
#include "transport/transporterrors.h"
#include "transport/utf8cut.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QNetworkRequest>
#include <QStringConverter>
#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketHandshakeOptions>

#include <algorithm>
#include <utility>

#if QT_CONFIG(ssl)
#include <QSslSocket>
#endif

namespace Everwire {

namespace {

constexpr qint64 UsualReadBuffer = 256 * 1024; // bytes

// Turns QWebSocket's error for a refused upgrade into a sentence. Most errors name the HTTP status;
// for the ones below the status is known from the text.
QString refusal(const QString &error)
{
    const auto isOneOf = [&error](std::initializer_list<const char *> texts) {
        return std::any_of(texts.begin(), texts.end(), [&error](const char *text) {
            return error == QCoreApplication::translate("QWebSocket", text);
        });
    };
    if (error.isEmpty())
        return QStringLiteral("it ended the connection");
    if (isOneOf({"QWebSocketPrivate::processHandshake: Unknown error condition encountered. Aborting "
                 "connection."}))
        return QStringLiteral("it answered 400 (Bad Request)");
    if (isOneOf(
            {"QWebSocket::processHandshake: Host requires authentication",
             "QWebSocketPrivate::processHandshake: Unsupported WWW-Authenticate challenge encountered.",
             "QWebSocketPrivate::processHandshake: Unsupported WWW-Authenticate challenges encountered."}))
        return QStringLiteral("it answered 401 (Unauthorized)");
    return error;
}

// Whether QWebSocket itself closed the connection, which it does with these codes. It does not
// report that, but the reason is then one of its own sentences, possibly translated. If the peer is
// a QWebSocket that closes in this way, the reason is the same. That case is retried, too.
bool isOwnVerdict(int code, const QString &reason)
{
    if (code != CloseCode::ProtocolError && code != CloseCode::InvalidData &&
        code != CloseCode::MessageTooBig)
        return false;
    static const char *const sentences[] = {
        "Invalid UTF-8 code encountered.",
        "Received Continuation frame, while there is nothing to continue.",
        "All data frames after the initial data frame must have opcode 0 (continuation).",
        "Received message is too big.",
        "Payload of close frame is too small.",
        "Maximum framesize exceeded.",
        "Rsv field is non-zero",
        "Used reserved opcode",
        "Control frame is larger than 125 bytes",
        "Control frames cannot be fragmented",
        "Lengths smaller than 126 must be expressed as one byte.",
        "Lengths smaller than 65536 (2^16) must be expressed as 2 bytes.",
        "Highest bit of payload length is not 0.",
        "Invalid close code %1 detected.",
        "Invalid opcode detected: %1",
        "Error occurred while reading header from the network: %1"};
    return std::any_of(std::begin(sentences), std::end(sentences), [&](const char *sentence) {
        for (const char *context : {"QWebSocketDataProcessor", "QWebSocketFrame"}) {
            const QString said = QCoreApplication::translate(context, sentence);
            const bool isWhole = !said.contains(QLatin1String("%1"));
            if (isWhole ? reason == said : reason.startsWith(said.section(QLatin1String("%1"), 0, 0)))
                return true;
        }
        return false;
    });
}

} // namespace

QWebSocketTransport::QWebSocketTransport() : m_socket(new QWebSocket) {}

QWebSocketTransport::~QWebSocketTransport()
{
    abort();
    m_socket->deleteLater();
}

void QWebSocketTransport::open(const TransportTarget &target)
{
    m_where = TransportErrors::where(target.url);
    m_maxFrameSize = target.maxFrameSize;
    connectSignals();

    // The defaults are 2 GiB.
    m_socket->setMaxAllowedIncomingFrameSize(quint64(target.maxIncomingSize));
    m_socket->setMaxAllowedIncomingMessageSize(quint64(target.maxIncomingSize));

    m_target = target;
    if (const std::optional<QNetworkProxy> proxy = Proxy::fromOption(target.proxy))
        m_socket->setProxy(*proxy);
    if (target.followRedirects) {
        refuse(
            QStringLiteral("followRedirects: QWebSocket follows no redirect. Set transport to Automatic, or "
                           "leave it out"));
        return;
    }
    if (!prepareTls())
        return;

    QNetworkRequest request(target.url);
    for (auto it = target.headers.begin(); it != target.headers.end(); ++it)
        request.setRawHeader(it.key().toLatin1(), scalarText(it.value()).value_or(QString()).toUtf8());
    QWebSocketHandshakeOptions options;
    options.setSubprotocols(target.protocols);
    m_socket->open(request, options);
    watchInnerSocket();
}

// False: it has ended.
bool QWebSocketTransport::prepareTls()
{
#if QT_CONFIG(ssl)
    if (m_target.url.scheme().compare(QLatin1String("wss"), Qt::CaseInsensitive) != 0)
        return true;
    QString problem;
    if (!m_target.tls.pinnedPublicKeys.isEmpty())
        problem = QStringLiteral(
            "pinnedPublicKeys: QWebSocket sends its request before a key could be looked at. Set "
            "transport to Automatic, or remove the pins");
    else
        m_socket->setSslConfiguration(Tls::configuration(m_target.tls, &problem));
    if (problem.isEmpty())
        return true;
    refuse(problem);
    return false;
#else
    return true;
#endif
}

// Reports an option that cannot be used.
void QWebSocketTransport::refuse(const QString &problem)
{
    abort();
    if (listener())
        listener()->transportEnded(TransportErrors::badOption(problem));
}

void QWebSocketTransport::connectSignals()
{
    QObject::connect(m_socket, &QWebSocket::connected, &m_context, [this] {
        m_opened = true;
        if (listener())
            listener()->transportOpened();
    });
    QObject::connect(m_socket, &QWebSocket::textMessageReceived, &m_context,
                     [this](const QString &text) { receiveText(text); });
    QObject::connect(m_socket, &QWebSocket::binaryMessageReceived, &m_context,
                     [this](const QByteArray &bytes) {
                         if (listener() && delivers())
                             listener()->transportBinaryReceived(bytes);
                     });
    QObject::connect(m_socket, &QWebSocket::pong, &m_context, [this] {
        if (m_opened && listener())
            listener()->transportAlive();
    });
    QObject::connect(m_socket, &QWebSocket::aboutToClose, &m_context,
                     [this] { m_closeSeen = !m_closeCalled; });
    QObject::connect(m_socket, &QWebSocket::disconnected, &m_context, [this] { endSoon(); });
    const auto onError = [this](QAbstractSocket::SocketError error) {
        if (m_error == QAbstractSocket::UnknownSocketError) {
            m_error = error;
            m_errorString = m_socket->errorString();
        }
        // Before it is open, QWebSocket can stay in Connecting after an error for good; and open after one of TLS, from
        // where nothing is decrypted any more.
        if (!m_opened || error == QAbstractSocket::SslInternalError)
            endSoon();
    };
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    QObject::connect(m_socket, &QWebSocket::errorOccurred, &m_context, onError);
#else
    QObject::connect(m_socket, qOverload<QAbstractSocket::SocketError>(&QWebSocket::error), &m_context,
                     onError);
#endif
#if QT_CONFIG(ssl)
    QObject::connect(m_socket, &QWebSocket::sslErrors, &m_context, [this](const QList<QSslError> &errors) {
        // QWebSocket's own ignoreSslErrors(errors) is for the next open().
        auto *tls = qobject_cast<QSslSocket *>(m_inner.data());
        if (tls && Tls::areIgnored(errors, m_target.tls, m_where))
            tls->ignoreSslErrors(errors);
        else
            m_tlsEnd = Tls::untrusted(m_where, errors, m_target.tls, secrets());
    });
#endif
}

void QWebSocketTransport::receiveText(const QString &text)
{
    if (!listener() || !delivers())
        return;
    QByteArray utf8 = std::exchange(m_scratch, {}); // the listener may run an event loop
    QStringEncoder encoder(QStringEncoder::Utf8);
    utf8.resize(std::max(utf8.size(), encoder.requiredSpace(text.size()) + Padding));
    const qsizetype size = encoder.appendToBuffer(utf8.data(), text) - utf8.constData();
    listener()->transportTextReceived({utf8.constData(), size});
    constexpr qsizetype most = 1024 * 1024;
    if (utf8.size() <= most)
        m_scratch = std::move(utf8);
}

// Whether received messages are passed to the listener. From Qt 6.4.3 on, QWebSocket reads the
// bytes after a refused upgrade as frames, and reports their messages.
bool QWebSocketTransport::delivers() const
{
    return m_opened && (!m_closeCalled || m_whileClosing == WhileClosing::Deliver);
}

void QWebSocketTransport::watchInnerSocket()
{
    m_inner = m_socket->findChild<QAbstractSocket *>(QString(), Qt::FindDirectChildrenOnly);
    if (!m_inner)
        return;
    m_below = m_inner->findChild<QTcpSocket *>(QString(), Qt::FindDirectChildrenOnly);
    if (!m_below)
        m_below = m_inner;
    m_inner->setReadBufferSize(UsualReadBuffer);
    QObject::connect(m_inner, &QAbstractSocket::connected, &m_context, [this] {
        m_tcpConnected = true;
        SystemSocket::limitUnsent(m_below->socketDescriptor());
    });
    // Unlike bytesWritten(), channelBytesWritten() is emitted for every byte, also for those that a
    // slot writes.
    QObject::connect(m_below, &QAbstractSocket::channelBytesWritten, &m_context,
                     [this](int, qint64 bytes) { written(bytes); });
#if QT_CONFIG(ssl)
    if (auto *tls = qobject_cast<QSslSocket *>(m_inner.data()))
        QObject::connect(tls, &QSslSocket::encrypted, &m_context, [this] { m_isEncrypted = true; });
#endif
    // QWebSocket's own slot was connected before: it has taken what it could.
    QObject::connect(m_inner, &QAbstractSocket::readyRead, &m_context, [this] {
        fitReadBuffer();
        // QWebSocket answers pings and assembles frames without a word; for the heartbeat both are life (rule H1).
        if (m_opened && listener())
            listener()->transportAlive();
    });
}

// The inner socket's buffer. Without a limit it takes at once all that the system holds, tens of megabytes of it (rule M8);
// and QWebSocket takes a frame from it only when the whole of it is there.
void QWebSocketTransport::fitReadBuffer()
{
    const qint64 held = m_inner->bytesAvailable();
    const qint64 limit = m_inner->readBufferSize();
    constexpr qint64 header = 14; // at most (RFC 6455, section 5.2)
    const qint64 most = std::max(UsualReadBuffer, m_target.maxIncomingSize + header);
    if (held >= limit && limit < most) {
        m_inner->setReadBufferSize(std::min(4 * limit, most));
        // TLS may hold the rest of the frame already. OpenSSL looks again by itself; other backends need not.
        QMetaObject::invokeMethod(
            m_inner, [inner = m_inner.data()] { inner->flush(); }, Qt::QueuedConnection);
    } else if (held < UsualReadBuffer && limit > UsualReadBuffer) {
        m_inner->setReadBufferSize(UsualReadBuffer);
    }
}

qint64 QWebSocketTransport::sendText(QByteArrayView utf8)
{
    QByteArray text = QByteArray::fromRawData(utf8.data(), utf8.size());
    qint64 frameSize = frameSizeForText(text, m_maxFrameSize);
    if (frameSize == 0) {
        frameSize = m_maxFrameSize;
        if (!QJsonDocument::fromJson(text).isNull())
            text = escapedAtCuts(text, frameSize);
    }
    m_socket->setOutgoingFrameSize(quint64(frameSize));
    m_socket->sendTextMessage(QString::fromUtf8(text));
    return sent();
}

qint64 QWebSocketTransport::sendBinary(QByteArrayView bytes)
{
    m_socket->setOutgoingFrameSize(quint64(m_maxFrameSize));
    m_socket->sendBinaryMessage(
        QByteArray::fromRawData(bytes.data(), bytes.size())); // it makes frames at once
    return sent();
}

// Returns the position after the frames of the last message. Over TLS, flush() puts them into
// records of their own, so that their end is known: QWebSocket's answers to pings may lie before
// and after them.
qint64 QWebSocketTransport::sent()
{
    if (!m_below || m_closeCalled || m_ended)
        return NeverLeaves;
    if (m_below != m_inner)
        m_inner->flush();
    return m_takenPosition + m_below->bytesToWrite();
}

void QWebSocketTransport::written(qint64 bytes)
{
    m_takenPosition += bytes;
    if (m_finishesWriting)
        finishWriting();
    if (m_opened && !m_ended && listener())
        listener()->transportWritten();
}

void QWebSocketTransport::finishWriting()
{
    m_finishesWriting = m_closeCalled && m_system.isValid() && m_below && m_below == m_inner;
    if (m_finishesWriting && m_below->bytesToWrite() == 0)
        m_system.finishWriting();
}

Transport::Confirmed QWebSocketTransport::confirmed() const
{
    const auto buffered = m_system.isValid() ? m_system.buffered()
                          : m_below          ? SystemSocket::buffered(m_below->socketDescriptor())
                                             : std::nullopt;
    if (!buffered)
        return {m_takenPosition, true, false};
    return {m_takenPosition - buffered->unconfirmed, buffered->isSettled(), buffered->isDead};
}

qint64 QWebSocketTransport::bytesInSystem() const
{
    if (m_system.isValid()) // the system may still send after the end
        return m_system.buffered().value_or(SystemSocket::Buffered()).unsent;
    return m_below && !m_ended ? SystemSocket::unsentBytes(m_below->socketDescriptor()) : 0;
}

void QWebSocketTransport::ping()
{
    m_socket->ping();
}

void QWebSocketTransport::close(int code, const QString &reason, WhileClosing incoming)
{
    m_closeCalled = true;
    m_whileClosing = incoming;
    if (m_socket->state() != QAbstractSocket::ConnectedState) {
        endSoon();
        return;
    }
    if (m_below)
        m_system = SystemSocket(m_below->socketDescriptor());
    m_socket->close(static_cast<QWebSocketProtocol::CloseCode>(code), reason);
}

void QWebSocketTransport::abort()
{
    dropSockets();
    m_system = {};
}

void QWebSocketTransport::dropSockets()
{
    m_ended = true;
    m_socket->disconnect(&m_context);
    for (QAbstractSocket *socket : {m_inner.data(), m_below.data()}) {
        if (socket)
            socket->disconnect(&m_context);
    }
    m_socket->abort();
}

Transport::Confirmed QWebSocketTransport::holdBack()
{
    if (!m_system.isValid() && m_below)
        m_system = SystemSocket(m_below->socketDescriptor());
    return m_system.holdBack([this] { return confirmed(); });
}

void QWebSocketTransport::cut()
{
    if (!m_system.isValid() && m_below)
        m_system = SystemSocket(m_below->socketDescriptor());
    m_system.resetOnClose();
    abort();
}

qint64 QWebSocketTransport::bytesToWrite() const
{
    qint64 bytes = m_socket->bytesToWrite();
#if QT_CONFIG(ssl)
    // Over TLS QWebSocket sees 0 while the TLS layer holds it all.
    if (const auto *tls = qobject_cast<const QSslSocket *>(m_inner.data()))
        bytes += tls->encryptedBytesToWrite();
#endif
    return bytes;
}

void QWebSocketTransport::flush()
{
    m_socket->flush();
}

// QWebSocket reports an end by several signals in an order that depends on the cause, the telling one last:
// wait for all of them, then report once.
void QWebSocketTransport::endSoon()
{
    if (m_ending || m_ended)
        return;
    m_ending = true;
    QMetaObject::invokeMethod(
        &m_context, [this] { end(); }, Qt::QueuedConnection);
}

void QWebSocketTransport::end()
{
    if (m_ended)
        return;
    const TransportEnd how = m_opened ? howItEnded() : whyItNeverOpened();
    dropSockets(); // keeps m_system, because confirmed() may still be called
    if (listener())
        listener()->transportEnded(how);
}

TransportEnd QWebSocketTransport::howItEnded() const
{
    if (!m_closeSeen && !m_closeCalled) {
        return TransportErrors::lost(m_where, m_errorString, secrets());
    }
    const QString reason = m_socket->closeReason();
    // QWebSocket takes 1012 to 2999 for a violation, although IANA has registered some ("service restart"),
    // and throws the number away. The peer did close, and a restart is worth a retry.
    if (reason == QCoreApplication::translate("QWebSocketDataProcessor", "Invalid close code %1 detected.")
                      .arg(CloseCode::ProtocolError))
        return {{ConnectionError::ClosedByServer,
                 QStringLiteral("%1 closed the connection with a code that QWebSocket does not know")
                     .arg(m_where),
                 CloseCode::NoStatus},
                {},
                {}};
    const int code = m_socket->closeCode();
    TransportEnd end = TransportErrors::closed(m_where, code, reason, secrets());
    if (isOwnVerdict(code, reason))
        end.error = ConnectionError(ConnectionError::ProtocolViolation,
                                    QStringLiteral("%1 broke the WebSocket protocol: %2")
                                        .arg(m_where, PeerText::shown(reason, secrets())),
                                    code);
    return end;
}

TransportEnd QWebSocketTransport::whyItNeverOpened() const
{
    if (m_tlsEnd)
        return *m_tlsEnd;
#if QT_CONFIG(ssl)
    if (m_error == QAbstractSocket::SslInvalidUserDataError)
        return Tls::unusable(m_errorString, m_target.tls);
    const bool isInTls = m_tcpConnected && !m_isEncrypted && qobject_cast<QSslSocket *>(m_inner.data());
    if (m_error == QAbstractSocket::SslHandshakeFailedError || Tls::isAlert(m_errorString) || isInTls)
        return Tls::failed(m_where, m_errorString, m_target.tls, secrets());
#endif
    if (!m_tcpConnected)
        return TransportErrors::notConnected(m_where, m_error, m_errorString, m_target.proxy, secrets());
    return {{ConnectionError::HandshakeFailed,
             QStringLiteral("%1 did not open a WebSocket: %2. Check the URL's path")
                 .arg(m_where, PeerText::shown(refusal(m_errorString), secrets()))},
            {},
            {}};
}

} // namespace Everwire
