// SPDX-License-Identifier: MIT
#include "support/slowrelay.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t MostHeld = 256 * 1024; // bytes, each way
constexpr int MostAtOnce = 1 << 20;     // bytes
constexpr int MostMilliseconds = 20;    // of whose allowance nothing was read, that may be caught up with

sockaddr_in loopback(quint16 port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void makeNonBlocking(int socket)
{
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
}

bool isAgain()
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

} // namespace

// One direction of a connection.
struct SlowRelay::Lane
{
    int from = -1;
    int to = -1;
    std::string held;
    bool hasEnded = false;  // nothing more comes
    bool isBroken = false;  // nothing more is taken
    bool hasPassed = false; // the end, too

    // Returns how much was read.
    int read(int most)
    {
        if (hasEnded || most <= 0 || held.size() >= MostHeld)
            return 0;
        std::array<char, 16 * 1024> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
        const ssize_t size = ::recv(from, buffer.data(), std::min<size_t>(buffer.size(), size_t(most)), 0);
        if (size > 0 && !isBroken)
            held.append(buffer.data(), size_t(size));
        if (size == 0 || (size < 0 && !isAgain()))
            hasEnded = true;
        return int(std::max<ssize_t>(size, 0));
    }
    void write()
    {
        while (!held.empty() && !isBroken) {
            const ssize_t size = ::send(to, held.data(), held.size(), MSG_NOSIGNAL);
            if (size > 0)
                held.erase(0, size_t(size));
            else if (isAgain())
                return;
            else
                isBroken = true;
        }
        if (isBroken)
            held.clear();
        if (hasEnded && held.empty() && !hasPassed) {
            hasPassed = true;
            ::shutdown(to, SHUT_WR);
        }
    }
};

struct SlowRelay::Pair
{
    Lane toServer;
    Lane toClient;
    int allowance = 0; // bytes that may be read from the client
};

SlowRelay::SlowRelay(quint16 server, int receiveBuffer) : m_receiveBuffer(receiveBuffer), m_server(server)
{
    m_listener = ::socket(AF_INET, SOCK_STREAM, 0);
    // Before it listens, so that the window that is offered fits.
    ::setsockopt(m_listener, SOL_SOCKET, SO_RCVBUF, &m_receiveBuffer, sizeof m_receiveBuffer);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(m_listener, reinterpret_cast<sockaddr *>(&address), size) != 0 ||
        ::listen(m_listener, 64) != 0 ||
        ::getsockname(m_listener, reinterpret_cast<sockaddr *>(&address), &size) != 0)
        qFatal("the slow relay cannot listen");
    m_port = ntohs(address.sin_port);
    makeNonBlocking(m_listener);
    m_thread = std::thread([this] { run(); });
}

SlowRelay::~SlowRelay()
{
    m_stops = true;
    m_thread.join();
    for (const auto &pair : m_pairs) {
        ::close(pair->toServer.from);
        ::close(pair->toServer.to);
    }
    ::close(m_listener);
}

void SlowRelay::run()
{
    auto before = Clock::now();
    while (!m_stops) {
        accept();
        const auto now = Clock::now();
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - before).count();
        before += std::chrono::milliseconds(ms);
        const int rate = m_rate;
        const int more = rate == Unlimited ? MostAtOnce : int(std::min<long long>(rate * ms, MostAtOnce));
        const int most = rate == Unlimited ? MostAtOnce : rate * MostMilliseconds;
        m_pairs.erase(std::remove_if(m_pairs.begin(), m_pairs.end(),
                                     [&](const auto &pair) { return !serve(*pair, more, most); }),
                      m_pairs.end());
        m_open = int(m_pairs.size());
        // Often enough, and whether or not something comes: there is nothing here that a test waits for by a clock.
        pollfd listener{m_listener, POLLIN, 0};
        ::poll(&listener, 1, 1);
    }
}

void SlowRelay::accept()
{
    for (;;) {
        const int client = ::accept(m_listener, nullptr, nullptr);
        if (client < 0)
            return;
        const int server = ::socket(AF_INET, SOCK_STREAM, 0);
        const sockaddr_in address = loopback(m_server);
        if (::connect(server, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            qFatal("the slow relay cannot reach its server");
        const int on = 1;
        for (const int socket : {client, server}) {
            makeNonBlocking(socket);
            ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
        auto pair = std::make_unique<Pair>();
        pair->toServer.from = pair->toClient.to = client;
        pair->toServer.to = pair->toClient.from = server;
        m_pairs.push_back(std::move(pair));
        m_open = int(m_pairs.size());
    }
}

// False: it is over.
bool SlowRelay::serve(Pair &pair, int more, int most)
{
    pair.allowance = std::min(pair.allowance + more, most);
    for (int size = 1; size > 0;) {
        size = pair.toServer.read(pair.allowance);
        pair.allowance -= size;
        pair.toServer.write();
    }
    for (int i = 0; i < 16 && pair.toClient.read(16 * 1024) > 0; ++i)
        pair.toClient.write();
    pair.toClient.write();
    pair.toServer.write();
    if (!pair.toServer.hasPassed || !(pair.toClient.hasPassed || pair.toClient.isBroken))
        return true;
    ::close(pair.toServer.from);
    ::close(pair.toServer.to);
    return false;
}
