// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

// A relay between a client and a server on loopback that reads from the client as slowly as a test wants, with small
// buffers, and loses nothing by itself: all that the client's system has got through arrives at the server, also if the
// client resets the connection behind it. It uses the system's calls alone, on a thread of its own.
class SlowRelay
{
public:
    // server: its port, on 127.0.0.1. receiveBuffer: bytes of the client's side.
    explicit SlowRelay(quint16 server, int receiveBuffer = 8 * 1024);
    ~SlowRelay();
    SlowRelay(const SlowRelay &) = delete;
    SlowRelay &operator=(const SlowRelay &) = delete;

    [[nodiscard]] quint16 port() const { return m_port; }
    // Bytes a millisecond that are read from each client; 0: none, Unlimited: what comes.
    void setRate(int bytes) { m_rate = bytes; }
    static constexpr int Unlimited = -1;
    // Connections that are not over, or of which something is still to be handed on.
    [[nodiscard]] int open() const { return m_open; }

private:
    struct Lane;
    struct Pair;
    void run();
    void accept();
    [[nodiscard]] bool serve(Pair &pair, int more, int most);

    int m_listener = -1;
    int m_receiveBuffer;
    quint16 m_server;
    quint16 m_port = 0;
    std::atomic<int> m_rate{Unlimited};
    std::atomic<int> m_open{0};
    std::atomic<bool> m_stops{false};
    std::vector<std::unique_ptr<Pair>> m_pairs;
    std::thread m_thread;
};
