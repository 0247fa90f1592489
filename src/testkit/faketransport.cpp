// SPDX-License-Identifier: MIT
#include "testkit/faketransport.h"

#include "core/peertext.h"

#include <algorithm>

namespace Everwire {

namespace {

constexpr qint64 ControlFrame = 6; // bytes of an empty control frame: header and mask

} // namespace

TransportFactory FakeTransport::factory(Wire *wire)
{
    return [wire](const ConnectionConfig &) { return std::make_unique<FakeTransport>(wire); };
}

FakeTransport::FakeTransport(Wire *wire) : m_wire(wire)
{
    wire->current = this;
    m_number = ++wire->made;
    ++wire->alive;
    wire->living.push_back(this);
}

FakeTransport::~FakeTransport()
{
    closeSocket();
    if (*m_calls > 0)
        ++m_wire->deletedInCall;
    --m_wire->alive;
    auto &living = m_wire->living;
    living.erase(std::find(living.begin(), living.end(), this));
    if (m_wire->current == this)
        m_wire->current = nullptr;
}

void FakeTransport::take(qint64 bytes)
{
    setBytesToWrite(std::max<qint64>(0, m_bytesToWrite - bytes));
    tell([](TransportListener &l) { l.transportWritten(); });
}

void FakeTransport::end(ConnectionError::Code code, int closeCode, const QString &reason,
                        std::chrono::milliseconds retryAfter, bool isFinal)
{
    closeSocket();
    const TransportEnd how{{code, QStringLiteral("the fake network ended it"), closeCode, isFinal},
                           PeerText::shown(reason, secrets()),
                           retryAfter};
    tell([&](TransportListener &l) { l.transportEnded(how); });
}

void FakeTransport::open(const TransportTarget &target)
{
    m_wire->targets.append(target);
    m_hasSocket = true;
    ++m_wire->sockets;
    m_wire->mostSockets = std::max(m_wire->mostSockets, m_wire->sockets - m_wire->goodbyes);
}

qint64 FakeTransport::sendText(QByteArrayView utf8)
{
    return send(utf8, false);
}

qint64 FakeTransport::sendBinary(QByteArrayView bytes)
{
    return send(bytes, true);
}

qint64 FakeTransport::sendSecretText(QByteArrayView utf8)
{
    return send(utf8, false, true);
}

qint64 FakeTransport::send(QByteArrayView bytes, bool isBinary, bool isSecret)
{
    write(bytes.size());
    m_wire->sent.append({bytes.toByteArray(), isBinary, m_number, isSecret, m_position});
    const qint64 position = m_position;
    happen(m_wire->duringSend);
    return position;
}

void FakeTransport::write(qint64 bytes)
{
    m_position += bytes;
    const bool waits = !m_wire->takesBytes || m_wire->buffers;
    setBytesToWrite(m_bytesToWrite + (waits ? bytes : 0));
}

void FakeTransport::setBytesToWrite(qint64 bytes)
{
    m_bytesToWrite = bytes;
    m_wire->taken[m_number] = takenPosition();
}

void FakeTransport::ping()
{
    ++m_wire->pings;
    write(ControlFrame);
    happen(m_wire->duringPing);
}

void FakeTransport::flush()
{
    if (m_wire->takesBytes && m_wire->buffers)
        setBytesToWrite(0);
}

void FakeTransport::close(int code, const QString &, WhileClosing)
{
    if (m_hasSocket && !std::exchange(m_isClosing, true))
        m_wire->mostGoodbyes = std::max(m_wire->mostGoodbyes, ++m_wire->goodbyes);
    write(ControlFrame);
    flush();
    m_wire->closeCodes.append(code);
    happen(m_wire->duringClose);
}

void FakeTransport::abort()
{
    ++m_wire->aborts;
    closeSocket();
}

void FakeTransport::cut()
{
    ++m_wire->cuts;
    abort();
}

Transport::Confirmed FakeTransport::confirmed() const
{
    return {m_wire->confirms ? takenPosition() : std::min(m_confirmed, takenPosition()), !m_wire->isUnderWay,
            !m_hasSocket};
}

void FakeTransport::happen(std::function<void(FakeTransport &)> &once)
{
    if (const auto event = std::exchange(once, {}))
        event(*this);
}

void FakeTransport::closeSocket()
{
    if (!std::exchange(m_hasSocket, false))
        return;
    --m_wire->sockets;
    m_wire->goodbyes -= m_isClosing ? 1 : 0;
}

} // namespace Everwire
