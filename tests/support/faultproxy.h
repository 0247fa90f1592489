// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QTcpServer>
#include <QUrl>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

class QTcpSocket;

// What a network does to a TCP connection, between a client and a server on loopback: passes bytes late, slowly or one by
// one, loses them in silence, resets and ends connections at a moment or behind a byte of the test's choice, and refuses
// or never answers new ones. Whatever lies above, TLS for instance, passes as it is. Lives on the test's thread; where
// the client does too, a slice has been read when the next one leaves.
class FaultProxy : public QObject
{
    Q_OBJECT

public:
    enum Way { ToServer, ToClient };
    enum class Fault {
        Silence, // half-open: nothing passes any more, not even an end, and nobody is told
        Reset,   // RST to both
        Finish,  // FIN to both: behind TLS a truncation, for there is no close_notify
    };

    explicit FaultProxy(const QUrl &server);
    ~FaultProxy() override;

    // The server's, through here.
    [[nodiscard]] QUrl url() const;

    // ---- Bytes under way, on all connections and both ways ----

    // Each byte this much later, more by up to jitter, and never before the one in front of it.
    void setLatency(std::chrono::milliseconds latency, std::chrono::milliseconds jitter = {});
    void setBandwidth(qint64 bytesPerSecond); // each way; 0: no limit
    // In pieces of so many bytes, a turn of the event loop apart; 0: as they come.
    void setSliceSize(qsizetype bytes);

    // ---- Connections ----

    // To all that are open, now.
    void strike(Fault fault);
    // To the open ones when so many more bytes have passed that way, and to new ones when so many have; 0: now, and at
    // once when they come, before the server hears of them.
    void strikeAfter(Way way, qint64 bytes, Fault fault);
    // Bytes that the other end has not said, at the next opportunity.
    void inject(Way way, const QByteArray &bytes);

    // What new connections meet.
    void refuse();      // a RST for their SYN
    void neverAnswer(); // nothing at all for it
    // New connections go through again, and nothing is planned, late, limited or sliced any more. What was struck stays so.
    void heal();

    [[nodiscard]] int connections() const { return m_connections; }      // so far
    [[nodiscard]] qint64 passed(Way way) const { return m_passed[way]; } // bytes, on all connections

Q_SIGNALS:
    void hasPassed(FaultProxy::Way way, qint64 bytes);

private:
    class Lane;
    class Pair;
    struct Plan
    {
        Way way = ToServer;
        qint64 after = 0;
        Fault fault = Fault::Reset;
    };

    void listen();
    void accept();

    const QUrl m_server;
    quint16 m_port = 0;
    std::unique_ptr<QTcpServer> m_listener;
    std::vector<std::unique_ptr<QTcpSocket>> m_fillers; // of the queue of a listener that never answers
    std::vector<std::unique_ptr<Pair>> m_pairs;
    std::optional<Plan> m_plan;
    std::chrono::milliseconds m_latency{};
    std::chrono::milliseconds m_jitter{};
    qint64 m_bandwidth = 0;
    qsizetype m_sliceSize = 0;
    int m_connections = 0;
    qint64 m_passed[2] = {0, 0};
};
