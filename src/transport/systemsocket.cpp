// SPDX-License-Identifier: MIT
#include "transport/systemsocket.h"

#include <algorithm>
#include <utility>

#ifdef Q_OS_UNIX
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

#ifdef Q_OS_LINUX
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#endif

namespace Everwire {

namespace {

// Bytes. When half of this is left, the system asks for more, which keeps fast lines busy.
[[maybe_unused]] constexpr int MostUnsent = 16 * 1024;
[[maybe_unused]] constexpr quint32 ShortWhile = 50; // ms

} // namespace

#ifdef Q_OS_UNIX

SystemSocket::SystemSocket(qintptr descriptor)
    : m_descriptor(descriptor < 0 ? -1 : fcntl(int(descriptor), F_DUPFD_CLOEXEC, 0))
{
}

void SystemSocket::release()
{
    if (m_descriptor >= 0)
        ::close(int(std::exchange(m_descriptor, -1)));
}

void SystemSocket::finishWriting()
{
    m_isHalfClosed = true;
    ::shutdown(int(m_descriptor), SHUT_WR);
}

void SystemSocket::resetOnClose() const
{
    const linger atOnce{1, 0};
    ::setsockopt(int(m_descriptor), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
}

void SystemSocket::slowDown() const
{
#ifdef SO_MAX_PACING_RATE
    const unsigned bytesPerSecond = 1;
    ::setsockopt(int(m_descriptor), SOL_SOCKET, SO_MAX_PACING_RATE, &bytesPerSecond, sizeof bytesPerSecond);
#endif
}

void SystemSocket::limitUnsent([[maybe_unused]] qintptr descriptor)
{
#ifdef TCP_NOTSENT_LOWAT
    ::setsockopt(int(descriptor), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &MostUnsent, sizeof MostUnsent);
#endif
}

#else

SystemSocket::SystemSocket(qintptr) {}
void SystemSocket::release() {}
void SystemSocket::finishWriting() {}
void SystemSocket::slowDown() const {}
void SystemSocket::resetOnClose() const {}
void SystemSocket::limitUnsent(qintptr) {}

#endif

#ifdef Q_OS_LINUX

namespace {

std::optional<qint64> ask(qintptr descriptor, unsigned long what)
{
    int bytes = 0;
    if (descriptor < 0 || ::ioctl(int(descriptor), what, &bytes) != 0)
        return std::nullopt;
    return bytes;
}

} // namespace

std::optional<SystemSocket::Buffered> SystemSocket::buffered(qintptr descriptor)
{
    // In this order: bytes that are confirmed between the two calls then only seem to be still in
    // flight.
    const std::optional<qint64> unconfirmed = ask(descriptor, SIOCOUTQ);
    const std::optional<qint64> unsent = ask(descriptor, SIOCOUTQNSD);
    if (!unconfirmed || !unsent)
        return std::nullopt;
    tcp_info info{};
    socklen_t size = sizeof info;
    const bool isKnown = ::getsockopt(int(descriptor), IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    // What is sent again is confirmed soon, unless the peer's system has no room for it.
    const quint32 since = info.tcpi_last_data_sent; // ms
    const bool isLost = info.tcpi_retransmits > 0 && since >= info.tcpi_rtt / 1000 + ShortWhile &&
                        since + ShortWhile <= info.tcpi_rto / 1000;
    return Buffered{*unconfirmed, *unsent, isKnown && isLost, isKnown && info.tcpi_state == TCP_CLOSE};
}

std::optional<SystemSocket::Buffered> SystemSocket::buffered() const
{
    std::optional<Buffered> buffered = SystemSocket::buffered(m_descriptor);
    if (buffered && m_isHalfClosed) { // which counts as one byte until it is confirmed
        buffered->unconfirmed = std::max<qint64>(buffered->unconfirmed - 1, 0);
        buffered->unsent = std::max<qint64>(buffered->unsent - 1, 0);
    }
    return buffered;
}

void SystemSocket::setIgnoresPeer(bool ignores) const
{
    sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const sock_fprog program{1, &nothing};
    const int unused = 0; // the system refuses a smaller value
    if (ignores)
        ::setsockopt(int(m_descriptor), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    else
        ::setsockopt(int(m_descriptor), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

qint64 SystemSocket::unsentBytes(qintptr descriptor)
{
    return ask(descriptor, SIOCOUTQNSD).value_or(0);
}

#else

std::optional<SystemSocket::Buffered> SystemSocket::buffered(qintptr)
{
    return std::nullopt;
}

void SystemSocket::setIgnoresPeer(bool) const {}

std::optional<SystemSocket::Buffered> SystemSocket::buffered() const
{
    return std::nullopt;
}

qint64 SystemSocket::unsentBytes(qintptr)
{
    return 0;
}

#endif

SystemSocket::~SystemSocket()
{
    release();
}

SystemSocket::SystemSocket(SystemSocket &&other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1)), m_isHalfClosed(other.m_isHalfClosed)
{
}

SystemSocket &SystemSocket::operator=(SystemSocket &&other) noexcept
{
    if (this != &other) {
        release();
        m_descriptor = std::exchange(other.m_descriptor, -1);
        m_isHalfClosed = other.m_isHalfClosed;
    }
    return *this;
}

} // namespace Everwire
