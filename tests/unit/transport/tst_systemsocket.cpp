// SPDX-License-Identifier: MIT
#include "transport/systemsocket.h"

#include <QTest>

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace Everwire;

namespace {

// Two ends of a TCP connection with small buffers, of which the test alone reads and writes.
class TcpPair
{
public:
    TcpPair()
    {
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        const int small = 8 * 1024;
        ::setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto *const any = reinterpret_cast<sockaddr *>(&address);
        ::bind(listener, any, size);
        ::listen(listener, 1);
        ::getsockname(listener, any, &size);
        m_ours = ::socket(AF_INET, SOCK_STREAM, 0);
        ::setsockopt(m_ours, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        ::connect(m_ours, any, size);
        m_peers = ::accept(listener, nullptr, nullptr);
        ::close(listener);
        ::fcntl(m_ours, F_SETFL, O_NONBLOCK);
        ::fcntl(m_peers, F_SETFL, O_NONBLOCK);
        system = SystemSocket(m_ours);
    }
    ~TcpPair()
    {
        ::close(m_ours);
        ::close(m_peers);
    }
    Q_DISABLE_COPY_MOVE(TcpPair)

    // Writes until neither system takes more. Returns whether nothing is in flight then.
    [[nodiscard]] bool fill()
    {
        const QByteArray block(1000, 'x');
        return QTest::qWaitFor([&] {
            ssize_t bytes = 0;
            while ((bytes = ::write(m_ours, block.constData(), size_t(block.size()))) > 0)
                m_written += bytes;
            const auto buffered = system.buffered();
            return buffered && buffered->unsent > 0 && buffered->unconfirmed == buffered->unsent;
        });
    }
    // Reads what has come. Returns how many bytes have come so far.
    qint64 read()
    {
        std::array<char, 4096> buffer{};
        for (ssize_t bytes = 1; bytes > 0; m_read += std::max<ssize_t>(bytes, 0))
            bytes = ::read(m_peers, buffer.data(), buffer.size());
        return m_read;
    }
    [[nodiscard]] qint64 written() const { return m_written; }
    [[nodiscard]] qint64 confirmed() const { return m_written - system.buffered()->unconfirmed; }

    SystemSocket system;

private:
    int m_ours = -1;
    int m_peers = -1;
    qint64 m_written = 0;
    qint64 m_read = 0;
};

} // namespace

class TestSystemSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void q15_aHalfCloseIsNoByte();
    void q15_ignoringThePeerSendsNothing();
};

void TestSystemSocket::q15_aHalfCloseIsNoByte()
{
    TcpPair pair;
    QVERIFY(pair.fill());
    const SystemSocket::Buffered before = *pair.system.buffered();
    pair.system.finishWriting();
    const SystemSocket::Buffered behind = *pair.system.buffered();
    QCOMPARE(behind.unconfirmed, before.unconfirmed);
    QCOMPARE(behind.unsent, before.unsent);
    QTRY_COMPARE(pair.read(), pair.written());
    QTRY_COMPARE(pair.system.buffered()->unconfirmed, 0);
}

void TestSystemSocket::q15_ignoringThePeerSendsNothing()
{
    TcpPair pair;
    QVERIFY(pair.fill());
    pair.system.setIgnoresPeer(true);
    const qint64 confirmed = pair.confirmed();
    for (int i = 0; i < 10; ++i)
        QCOMPARE(pair.read(), confirmed); // the room that this makes is not heard of
    pair.system.setIgnoresPeer(false);
    QTRY_COMPARE(pair.read(), pair.written());
}

QTEST_GUILESS_MAIN(TestSystemSocket)
#include "tst_systemsocket.moc"
