// SPDX-License-Identifier: MIT
#include "player.h"

#include <QCryptographicHash>
#include <QStringDecoder>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace {

using namespace std::chrono_literals;

// Without a sign of life from the client.
constexpr auto Limit = 30s;
// How long a client may take to see that half a message is invalid: it makes the difference between OK and
// non-strict.
constexpr auto FailFastTime = 500ms;

// The value of the request's field of that name, all of them where there are several.
QByteArray field(const QByteArray &request, const QByteArray &name)
{
    QByteArray value;
    const QList<QByteArray> lines = request.split('\n');
    for (const QByteArray &line : lines) {
        const qsizetype colon = line.indexOf(':');
        if (colon > 0 && line.left(colon).trimmed().toLower() == name)
            value += (value.isEmpty() ? "" : ",") + line.mid(colon + 1).trimmed();
    }
    return value;
}

bool isUtf8(const QByteArray &bytes)
{
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    [[maybe_unused]] const QString text = decoder.decode(bytes);
    return !decoder.hasError();
}

std::string described(const Event &event)
{
    constexpr std::array names = {"a text", "a binary message", "a ping", "a pong", "silence"};
    return std::string(names[size_t(event.kind)]) + " of " + std::to_string(event.payload.size()) + " bytes";
}

// The codes that may stand in a Close frame (RFC 6455 §7.4, and what IANA has registered since).
bool isCloseCode(int code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

} // namespace

Player::Player(QTcpSocket *socket, Script script) : m_script(std::move(script)), m_socket(socket)
{
    m_socket->setParent(this);
    m_socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    m_limit.setSingleShot(true);
    m_limit.setInterval(Limit);
    m_silence.setSingleShot(true);
    m_silence.setInterval(FailFastTime);
    connect(&m_limit, &QTimer::timeout, this, &Player::timeout);
    connect(&m_silence, &QTimer::timeout, this, [this] {
        if (m_state != State::Open)
            return;
        note({Event::Silence, {}});
        nextStep();
    });
    connect(m_socket, &QTcpSocket::readyRead, this, &Player::read);
    connect(m_socket, &QTcpSocket::disconnected, this, [this] {
        if (m_state == State::Open)
            m_state = State::ClosedByClient;
        finish();
    });
}

void Player::start()
{
    m_time.start();
    read();
}

void Player::read()
{
    m_limit.start();
    if (m_state == State::Handshake)
        readRequest();
    else
        m_frames.feed(m_socket->readAll());
    readFrames();
}

void Player::readRequest()
{
    m_request += m_socket->readAll();
    const qsizetype end = m_request.indexOf("\r\n\r\n");
    if (end < 0)
        return;
    m_frames.feed(m_request.mid(end + 4));
    m_request.truncate(end);
    const QByteArray key = field(m_request, "sec-websocket-key");
    if (!m_request.startsWith("GET ") || key.isEmpty() || field(m_request, "sec-websocket-version") != "13") {
        m_why = "no request of a WebSocket";
        m_socket->abort();
        return;
    }
    open(key, field(m_request, "sec-websocket-extensions"));
}

void Player::open(const QByteArray &key, const QByteArray &offers)
{
    QByteArray answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: ";
    answer += QCryptographicHash::hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1)
                  .toBase64();
    if (m_script.rounds && !m_script.rounds->wishes.empty()) {
        if (const auto deflate = answerDeflate(offers, m_script.rounds->wishes)) {
            m_deflate = std::make_unique<Deflate>(*deflate);
            answer += "\r\nSec-WebSocket-Extensions: " + deflate->header;
        } else {
            m_noCompression = true;
            m_why = "the client does not offer the compression that the case needs";
        }
    }
    m_state = State::Open;
    write(answer + "\r\n\r\n");
    if (m_noCompression)
        close(1000);
    else if (m_script.rounds)
        nextRound();
    else
        nextStep();
}

void Player::readFrames()
{
    while (m_state == State::Open || m_state == State::ClosedByServer) {
        const std::optional<ClientFrame> frame = m_frames.next();
        if (m_frames.violation())
            violated(m_frames.violation());
        if (!frame || m_clean)
            return;
        receive(*frame);
    }
}

void Player::receive(const ClientFrame &frame)
{
    if (frame.opcode == Close)
        receiveClose(frame.payload);
    else if (frame.opcode == Ping)
        note({Event::Ping, frame.payload});
    else if (frame.opcode == Pong)
        note({Event::Pong, frame.payload});
    else
        receiveData(frame);
}

void Player::receiveData(const ClientFrame &frame)
{
    if ((frame.opcode == Continuation) != m_message.has_value())
        return violated("a fragment out of order");
    if (frame.rsv != 0 && (frame.rsv != 4 || !m_deflate || m_message))
        return violated("a frame with a reserved bit that was not agreed upon");
    if (m_message)
        m_message->payload += frame.payload;
    else
        m_message = frame;
    if (!frame.fin)
        return;
    const ClientFrame whole = *std::exchange(m_message, {});
    const std::optional<QByteArray> payload =
        whole.rsv == 4 ? m_deflate->decompressed(whole.payload) : whole.payload;
    if (!payload)
        return violated("a compressed message that cannot be decompressed");
    if (whole.opcode == Text && !isUtf8(*payload))
        return violated("a text that is no UTF-8");
    note({whole.opcode == Text ? Event::Text : Event::Binary, *payload});
}

void Player::receiveClose(const QByteArray &payload)
{
    if (payload.size() == 1)
        return violated("a Close frame with half a code");
    if (!payload.isEmpty()) {
        m_closeCode = uchar(payload[0]) << 8 | uchar(payload[1]);
        // What the two undefined codes are answered with is informational.
        if (!m_script.informational && !isCloseCode(m_closeCode))
            violated("a Close frame with an invalid code");
        if (!isUtf8(payload.mid(2)))
            violated("a Close frame whose reason is no UTF-8");
    }
    m_clean = true;
    m_silence.stop();
    if (m_state == State::Open) {
        m_state = State::ClosedByClient;
        write(frame(Close, payload.left(2)));
    }
    m_pieces.clear();
    // The server ends the TCP connection (RFC 6455 §7.1.1).
    m_socket->disconnectFromHost();
}

void Player::violated(const char *what)
{
    m_failed = true;
    m_why = std::string("the client sent ") + what;
    close(1002);
    m_socket->disconnectFromHost();
}

void Player::nextStep()
{
    m_awaited = 0;
    while (m_step < m_script.steps.size() && m_state != State::ClosedByClient && !m_finished) {
        const Step &step = m_script.steps[m_step++];
        switch (step.kind) {
        case Step::Send: write(step.bytes, step.chop); break;
        case Step::SendClose:
            write(step.bytes, step.chop);
            m_state = State::ClosedByServer;
            break;
        case Step::AwaitEvent: m_awaited = m_events.size() + 1; return;
        case Step::AwaitEnd: m_silence.start(); return;
        }
    }
}

void Player::write(const QByteArray &bytes, qsizetype chop)
{
    if (m_pieces.empty() && chop == 0) {
        m_socket->write(bytes);
        return;
    }
    m_pieces.push_back({bytes, 0, chop});
    if (m_pieces.size() == 1)
        writeNextPiece();
}

void Player::goOnWriting()
{
    // A client that has failed the connection is gone: the write could be refused, and what the client sent last
    // would go unread.
    if (!m_pieces.empty())
        m_socket->waitForReadyRead(0);
    writeNextPiece();
}

// Leaves the event loop a turn after each piece, so that the client may read it before the next one is there.
void Player::writeNextPiece()
{
    while (!m_pieces.empty()) {
        Piece &piece = m_pieces.front();
        const qsizetype left = piece.bytes.size() - piece.at;
        const qsizetype size = piece.chop == 0 ? left : std::min(left, piece.chop);
        m_socket->write(piece.bytes.constData() + piece.at, size);
        piece.at += size;
        const bool isAlone = piece.chop > 0;
        if (isAlone)
            m_socket->flush();
        if (m_pieces.empty()) // flush() can find that the client is gone
            return;
        if (piece.at == piece.bytes.size())
            m_pieces.pop_front();
        if (isAlone) {
            if (!m_pieces.empty())
                QMetaObject::invokeMethod(this, &Player::goOnWriting, Qt::QueuedConnection);
            return;
        }
    }
}

void Player::close(int code)
{
    if (m_state != State::Open)
        return;
    m_state = State::ClosedByServer;
    write(frame(Close, closePayload(code)));
}

void Player::nextRound()
{
    const Rounds &rounds = *m_script.rounds;
    if (m_rounds == roundsPerCase()) {
        close(1000);
        return;
    }
    m_sent = rounds.source.mid(m_sourceAt, rounds.size);
    m_sourceAt += rounds.size;
    if (m_sent.size() < rounds.size) {
        m_sourceAt = rounds.size - m_sent.size();
        m_sent += rounds.source.left(m_sourceAt);
    }
    const Opcode opcode = rounds.binary ? Binary : Text;
    write(m_deflate ? message(opcode, m_deflate->compressed(m_sent), rounds.frameSize, 4)
                    : message(opcode, m_sent, rounds.frameSize));
}

void Player::note(const Event &event)
{
    if (m_script.rounds) {
        if (m_state != State::Open)
            return;
        const Event::Kind kind = m_script.rounds->binary ? Event::Binary : Event::Text;
        if (event == Event{kind, m_sent}) {
            ++m_rounds;
            return nextRound();
        }
        m_failed = true;
        m_why = "what came back is not what was sent";
        return close(1000);
    }
    m_events.push_back(event);
    if (m_script.informational)
        return;
    if (!canBecome(m_script.expected) && !(m_script.nonStrict && canBecome(*m_script.nonStrict))) {
        m_why = "unexpected: " + described(event);
        return close(1001);
    }
    if (m_events == m_script.expected && m_script.end.byServer && !m_script.sendsClose)
        return close(1000);
    if (m_awaited > 0 && m_events.size() >= m_awaited)
        nextStep();
}

bool Player::canBecome(const std::vector<Event> &expected) const
{
    return m_events.size() <= expected.size() &&
           std::equal(m_events.begin(), m_events.end(), expected.begin());
}

void Player::timeout()
{
    if (m_why.empty())
        m_why = "nothing came for 30 s";
    if (m_state == State::Open) {
        m_limit.start();
        close(1001);
    } else {
        m_socket->abort();
        finish();
    }
}

void Player::finish()
{
    if (std::exchange(m_finished, true))
        return;
    m_pieces.clear();
    m_limit.stop();
    m_silence.stop();
    Outcome outcome;
    outcome.verdict = verdict();
    outcome.ending = ending();
    outcome.closeCode = m_closeCode;
    outcome.why = m_why;
    outcome.milliseconds = m_time.elapsed();
    if (m_script.informational) {
        outcome.verdict = m_failed ? Verdict::Failed : Verdict::Informational;
        outcome.ending = Ending::Informational;
    } else if (m_script.fatalEnding == outcome.ending) {
        outcome.verdict = Verdict::Failed;
    }
    Q_EMIT played(outcome);
}

Verdict Player::verdict() const
{
    if (m_failed || m_state == State::Handshake)
        return Verdict::Failed;
    if (m_noCompression)
        return Verdict::Unimplemented;
    if (m_script.rounds)
        return m_rounds == roundsPerCase() ? Verdict::Ok : Verdict::Failed;
    if (m_events == m_script.expected)
        return Verdict::Ok;
    return m_script.nonStrict && m_events == *m_script.nonStrict ? Verdict::NonStrict : Verdict::Failed;
}

Ending Player::ending() const
{
    if (m_script.end.byServer != (m_state == State::ClosedByServer))
        return Ending::WrongSide;
    if (m_script.end.clean && !m_clean)
        return Ending::Unclean;
    if (m_closeCode != 0 && !m_script.end.codes.contains(m_closeCode))
        return Ending::WrongCode;
    return Ending::Ok;
}
