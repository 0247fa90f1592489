// SPDX-License-Identifier: MIT
#include "transport/frametransport.h"

#include "transport/buffers.h"

#include "core/closecode.h"
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

// A peer that never stops sending must not keep the thread's other connections waiting.
constexpr int ReadsInOneTurn = 4;
// What the socket may hold of ours beyond what the system has taken.
constexpr qint64 SocketRoom = 128 * 1024;
constexpr qsizetype WriteSize = 64 * 1024;
// With more than this unsent pings are not answered: nobody who reads so slowly will miss it.
constexpr qsizetype PongRoom = 4 * 1024 * 1024;
// A text of more is sent uncompressed: zlib counts in 32 bits.
constexpr qsizetype MostDeflated = 1 << 30;
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
    using Bytes = std::array<char, FrameTransport::ReadSize + Padding>;
    // Empty while it is used: an event loop in a listener makes another.
    static std::unique_ptr<Bytes> &spare()
    {
        static thread_local std::unique_ptr<Bytes> theSpare;
        return theSpare;
    }

    std::unique_ptr<Bytes> m_bytes;
};

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
    // If QSslSocket's buffer was full, it decrypts more only when a read asks for more than the
    // buffer holds.
    if (m_isTls)
        return m_socket->bytesAvailable() > 0 || size == ReadSize;
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
        if (m_isPaused && delivers()) {
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
        if (delivers() && listener())
            listener()->transportTextReceived(incoming.payload);
        break;
    case Incoming::Binary:
        if (delivers() && listener())
            listener()->transportBinaryReceived(m_reader->takePayload(incoming));
        break;
    case Incoming::Ping:
        // A peer that pings and never reads could fill our memory with answers.
        if (isOpen && unwrittenFrames() < PongRoom)
            sendControl(Opcode::Pong, incoming.payload.bytes());
        break;
    case Incoming::Close: {
        const QString reason = QString::fromUtf8(incoming.payload.bytes());
        if (isOpen)
            startClosing(incoming.closeCode, {});
        endAfterClose(TransportErrors::closed(TransportErrors::where(m_target.url), incoming.closeCode,
                                              reason, secrets()));
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

// Whether received messages are passed to the listener.
bool FrameTransport::delivers() const
{
    return m_stage == Stage::Open ||
           (m_stage == Stage::Closing && m_whileClosing == WhileClosing::Deliver && !m_end);
}

void FrameTransport::setPaused(bool paused)
{
    if (m_isPaused == paused || !delivers())
        return;
    m_isPaused = paused;
    if (!paused)
        receiveLater();
}

// ---- Sending ----

qint64 FrameTransport::sendText(QByteArrayView utf8)
{
    if (!canSend() || !m_deflater || utf8.size() < m_target.compressionThreshold ||
        utf8.size() > MostDeflated)
        return sendUncompressed(utf8);
    const QByteArrayView deflated = m_deflater->compress(utf8);
    m_bytesSaved += utf8.size() - deflated.size();
    const qint64 written = m_writer->writeDeflated(&m_out, Opcode::Text, deflated);
    m_deflater->trim();
    return sent(written);
}

qint64 FrameTransport::sendSecretText(QByteArrayView utf8)
{
    return sendUncompressed(utf8);
}

qint64 FrameTransport::sendUncompressed(QByteArrayView utf8)
{
    if (canSend())
        return sent(m_writer->writeText(&m_out, utf8));
    m_unsendable += utf8.size();
    return NeverLeaves;
}

qint64 FrameTransport::sendBinary(QByteArrayView bytes)
{
    if (canSend())
        return sent(m_writer->writeBinary(&m_out, bytes));
    m_unsendable += bytes.size();
    return NeverLeaves;
}

void FrameTransport::ping()
{
    if (canSend())
        sendControl(Opcode::Ping, {});
}

void FrameTransport::sendControl(Opcode opcode, QByteArrayView payload)
{
    m_position += m_writer->writeControl(&m_out, opcode, payload);
    flushLater();
}

// Collects frames and writes them together, because each write() is a system call or a TLS record.
// Returns the position after them.
qint64 FrameTransport::sent(qint64 bytes)
{
    m_position += bytes;
    const qint64 position = m_position; // flush() may call a listener that sends more
    if (unwrittenFrames() >= WriteSize) {
        flush();
        flushAndTellLater();
    } else {
        flushLater();
    }
    return position;
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
    noteTaken();        // the socket may have written, and the next write may fail
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
    if (m_stage == Stage::Connecting || m_stage == Stage::Ended || m_isFlushing || m_socketIsGone ||
        m_isHeldBack)
        return;
    // While we read, reading finds out first, all but always; asking before every write would halve the speed.
    if (m_isPaused && m_outAt < m_out.size() && socketBytesToWrite() < SocketRoom && peerHasLeft())
        return;
    // Over TLS, flush() reports what it has written only once, however often it is called from there.
    m_isFlushing = true;
    bool isWritable = true;
    while (isWritable && m_outAt < m_out.size() && socketBytesToWrite() < SocketRoom)
        isWritable = writeSome();
    if (isWritable && m_isTls)
        m_socket->flush(); // retry what the system did not accept before
    m_isFlushing = false;
    if (m_stage == Stage::Ended) // the TLS socket reported the end inside flush()
        return;
    if (!isWritable) {
        // The peer has reset the connection. The socket is unbuffered and has closed itself without
        // a signal.
        socketIsGone();
        receiveLater();
        return;
    }
    noteTaken();
    if (m_outAt == m_out.size()) {
        if (m_out.capacity() > KeptCapacity)
            m_out = {};
        m_out.resize(0);
        m_outAt = 0;
    } else if (m_outAt > m_out.size() / 2) {
        m_out.remove(0, m_outAt);
        m_outAt = 0;
    }
    if (m_finishesWriting)
        finishWriting();
}

// Passes the next piece to the socket. Returns false if the socket has closed itself or the
// transport has ended.
bool FrameTransport::writeSome()
{
    qint64 size = std::min(unwrittenFrames(), qint64(WriteSize));
    // Write whole records of the largest size, or less than one, so that the end of each is known.
    if (m_isTls && size > RecordLedger::LargestRecord)
        size -= size % RecordLedger::LargestRecord;
    if (m_socket->write(m_out.constData() + m_outAt, size) != size)
        return false;
    m_outAt += size;
    if (m_isTls) {
        m_socket->flush();
        if (m_stage == Stage::Ended)
            return false;
        noteRecords();
    } else {
        noteTaken();
    }
    return true;
}

// Notes the TLS records that were made, after TLS has encrypted everything that it was given.
void FrameTransport::noteRecords()
{
    if (m_socket->bytesToWrite() > 0) // TLS has not encrypted everything, as during a renegotiation
        return;
#if QT_CONFIG(ssl)
    const qint64 end =
        m_encryptedWritten + static_cast<const QSslSocket *>(m_socket)->encryptedBytesToWrite();
    const qint64 position = m_position - unwrittenFrames();
    m_records.add(position, end, (position - m_records.plainEnd()) / RecordLedger::LargestRecord);
#endif
    noteTaken();
}

// Updates the position up to which the system has accepted bytes, while the socket can still tell.
void FrameTransport::noteTaken()
{
    if (!m_socket || m_socketIsGone)
        return;
    const qint64 inTunnel = m_tunnel ? m_tunnel->bytesToWrite() : 0;
    if (!m_isTls) {
        m_takenPosition = m_position - unwrittenFrames() - m_socket->bytesToWrite() - inTunnel;
        return;
    }
    const qint64 taken = m_encryptedWritten - inTunnel;
    m_takenPosition = m_records.plainBefore(taken);
    constexpr qsizetype many = 256;
    if (m_records.size() > many)
        m_records.forgetBefore(
            taken -
            SystemSocket::buffered(systemDescriptor()).value_or(SystemSocket::Buffered()).unconfirmed);
}

Transport::Confirmed FrameTransport::confirmed() const
{
    const auto buffered =
        m_system.isValid() ? m_system.buffered() : SystemSocket::buffered(systemDescriptor());
    if (!buffered)
        return {m_takenPosition, true, false};
    const bool isSettled = buffered->isSettled();
    const qint64 inTunnel = m_tunnel ? m_tunnel->bytesToWrite() : 0;
    if (m_isTls)
        return {m_records.plainBefore(m_encryptedWritten - inTunnel - buffered->unconfirmed), isSettled,
                buffered->isDead};
    return {m_takenPosition - buffered->unconfirmed, isSettled, buffered->isDead};
}

qint64 FrameTransport::bytesInSystem() const
{
    if (m_system.isValid()) // the system may still send after the end
        return m_system.buffered().value_or(SystemSocket::Buffered()).unsent;
    return m_socket && !m_socketIsGone ? SystemSocket::unsentBytes(systemDescriptor()) : 0;
}

// The descriptor of the TCP connection to the server, or to a proxy.
qintptr FrameTransport::systemDescriptor() const
{
    if (!m_socket)
        return -1;
    return m_tunnel ? m_tunnel->socketDescriptor() : m_socket->socketDescriptor();
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
    return (m_socket && !m_socketIsGone ? socketBytesToWrite() : 0) + unwrittenFrames() + m_unsendable;
}

qint64 FrameTransport::bytesSaved() const
{
    return m_bytesSaved + (m_reader ? m_reader->bytesSaved() : 0);
}

// ---- Ending ----

void FrameTransport::close(int code, const QString &reason, WhileClosing incoming)
{
    m_whileClosing = incoming;
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
    m_position += m_writer->writeClose(&m_out, code, reason);
    m_stage = Stage::Closing;
    m_system = SystemSocket(systemDescriptor());
    flush();
    // From now on everything is read. Unread bytes would turn our close into a reset, and the peer
    // would not see the Close frame.
    if (!delivers() && std::exchange(m_isPaused, false))
        receiveLater();
}

void FrameTransport::finishWriting()
{
    m_finishesWriting = !m_isTls && !m_tunnel;
    if (m_finishesWriting && !m_socketIsGone && m_takenPosition >= m_position && m_stage == Stage::Closing)
        m_system.finishWriting();
}

// Both have said goodbye, or nothing more can be read: the server ends the TCP connection (RFC 6455 §7.1.1).
void FrameTransport::endAfterClose(const TransportEnd &end)
{
    if (m_end)
        return;
    m_end = end;
    m_patience.start(Patience);
    finishWriting();
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
        finish(
            TransportErrors::lost(TransportErrors::where(m_target.url), m_socket->errorString(), secrets()));
}

void FrameTransport::finish(const TransportEnd &end)
{
    if (m_stage == Stage::Ended)
        return;
    dropSocket(); // keeps m_system, because confirmed() may still be called
    if (listener())
        listener()->transportEnded(end);
}

void FrameTransport::abort()
{
    dropSocket();
    m_system = {};
}

void FrameTransport::dropSocket()
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

Transport::Confirmed FrameTransport::holdBack()
{
    m_isHeldBack = true;
    if (!m_system.isValid())
        m_system = SystemSocket(systemDescriptor());
    return m_system.holdBack([this] { return confirmed(); });
}

void FrameTransport::cut()
{
    if (!m_system.isValid())
        m_system = SystemSocket(systemDescriptor());
    m_system.resetOnClose();
    abort();
}

} // namespace Everwire
