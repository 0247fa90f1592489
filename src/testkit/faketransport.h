// SPDX-License-Identifier: MIT
#pragma once

#include "transport/transport.h"

#include <QHash>
#include <QList>

#include <vector>

namespace Everwire {

// A transport without a network. The test holds the Wire, which outlives the transports made for it, says
// what happens on it and looks at what was sent.
class FakeTransport final : public Transport
{
public:
    struct Frame
    {
        QByteArray bytes;
        bool isBinary = false;
        int socket = 0;        // 1 for the first transport made, and so on; does not count when comparing
        bool isSecret = false; // went by sendSecretText()
        qint64 end = 0;        // the socket's position behind it
        friend bool operator==(const Frame &a, const Frame &b)
        {
            return a.bytes == b.bytes && a.isBinary == b.isBinary;
        }
    };

    struct Wire
    {
        FakeTransport *current = nullptr; // the newest; null when it is gone
        std::vector<FakeTransport *> living;
        QList<Frame> sent;        // by all of them
        QHash<int, qint64> taken; // by the system, for each socket: its position
        QList<int> closeCodes;    // of close()
        QList<TransportTarget> targets;
        int made = 0;
        int alive = 0;
        int aborts = 0;
        int pings = 0;
        int sockets = 0;        // opened, and neither aborted, ended nor deleted yet
        int goodbyes = 0;       // of these sockets, those with close() called
        int mostSockets = 0;    // the most at any one time, without goodbyes
        int mostGoodbyes = 0;   // the most at any one time
        int deletedInCall = 0;  // transports deleted from inside a call to their listener
        bool takesBytes = true; // false: the peer reads nothing, and everything stays in the socket
        bool buffers = false;   // true: bytes leave with flush() or close(), which tell nobody
        // Whether the peer's system confirms all bytes that the system has accepted. If false, it
        // confirms only what confirm() says.
        bool confirms = true;
        bool isUnderWay = false;     // unconfirmed bytes are in flight and may still be confirmed
        qint64 inSystem = 0;         // bytes that the system has accepted but not sent
        QList<qint64> inSystemFirst; // what is said of them before that, once each
        int cuts = 0;                // calls of cut()
        int halfCloses = 0;          // calls of finishWriting()
        bool canPause = false;
        bool paused = false;
        // Called once, from inside the next such call: a transport may end, or tell more, inside any
        // function.
        std::function<void(FakeTransport &)> duringSend;
        std::function<void(FakeTransport &)> duringClose;
        std::function<void(FakeTransport &)> duringPing;
    };

    [[nodiscard]] static TransportFactory factory(Wire *wire);

    explicit FakeTransport(Wire *wire);
    ~FakeTransport() override;
    FakeTransport(const FakeTransport &) = delete;
    FakeTransport &operator=(const FakeTransport &) = delete;

    [[nodiscard]] int number() const { return m_number; } // 1 for the first made for the wire
    [[nodiscard]] bool hasSocket() const { return m_hasSocket; }
    [[nodiscard]] bool isClosing() const { return m_isClosing; } // close() was called

    // What the network does.
    void connectTo()
    {
        tell([](TransportListener &l) { l.transportOpened(); });
    }
    void receive(PaddedView text)
    {
        showLife();
        tell([&](TransportListener &l) { l.transportTextReceived(text); });
    }
    void receive(const QByteArray &text)
    {
        const PaddedCopy padded(text);
        showLife();
        tell([&](TransportListener &l) { l.transportTextReceived(padded.view()); });
    }
    void receiveBinary(const QByteArray &bytes)
    {
        showLife();
        tell([&](TransportListener &l) { l.transportBinaryReceived(bytes); });
    }
    void showLife()
    {
        tell([](TransportListener &l) { l.transportAlive(); });
    }
    // The system takes so many of the bytes that wait.
    void take(qint64 bytes);
    // The peer's system confirms this many more of the bytes that the system has accepted.
    void confirm(qint64 bytes) { m_confirmed += bytes; }
    // The peer ends its direction of the connection. It may still read.
    void halfClose()
    {
        tell([](TransportListener &l) { l.transportEnded({}); });
    }
    void end(ConnectionError::Code code, int closeCode, const QString &reason = {},
             std::chrono::milliseconds retryAfter = {}, bool isFinal = false);

    void open(const TransportTarget &target) override;
    qint64 sendText(QByteArrayView utf8) override;
    qint64 sendBinary(QByteArrayView bytes) override;
    qint64 sendSecretText(QByteArrayView utf8) override;
    void ping() override;
    void close(int code, const QString &reason, WhileClosing incoming = WhileClosing::Discard) override;
    void abort() override;
    void cut() override;
    void finishWriting() override { ++m_wire->halfCloses; }
    [[nodiscard]] qint64 takenPosition() const override { return m_position - m_bytesToWrite; }
    [[nodiscard]] Confirmed confirmed() const override;
    [[nodiscard]] qint64 bytesToWrite() const override { return m_bytesToWrite; }
    [[nodiscard]] qint64 bytesInSystem() const override
    {
        return m_wire->inSystemFirst.isEmpty() ? m_wire->inSystem : m_wire->inSystemFirst.takeFirst();
    }
    void flush() override;
    [[nodiscard]] bool canPause() const override { return m_wire->canPause; }
    void setPaused(bool paused) override { m_wire->paused = paused; }
    [[nodiscard]] qint64 bytesSaved() const override { return 0; }

private:
    template<typename Function>
    void tell(Function &&function)
    {
        if (!listener())
            return;
        const std::shared_ptr<int> calls = m_calls; // outlives this where the listener deletes it
        ++*calls;
        function(*listener());
        --*calls;
    }
    qint64 send(QByteArrayView bytes, bool isBinary, bool isSecret = false);
    void write(qint64 bytes);
    void setBytesToWrite(qint64 bytes);
    void happen(std::function<void(FakeTransport &)> &once);
    void closeSocket();

    Wire *m_wire;
    std::shared_ptr<int> m_calls = std::make_shared<int>(0); // to the listener, on the stack now
    qint64 m_position = 0;
    qint64 m_bytesToWrite = 0;
    // Position up to which the peer has confirmed, if Wire::confirms is false.
    qint64 m_confirmed = 0;
    int m_number = 0;
    bool m_hasSocket = false;
    bool m_isClosing = false;
};

} // namespace Everwire
