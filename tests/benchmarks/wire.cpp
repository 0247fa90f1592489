// SPDX-License-Identifier: MIT
#include "wire.h"

#include <QEventLoop>
#include <QFile>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslSocket>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace Bench {

namespace {

constexpr int Patience = 600'000; // ms

class PlainWire final : public Wire
{
public:
    explicit PlainWire(int fd) : m_fd(fd)
    {
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ~PlainWire() override { ::close(m_fd); }
    Q_DISABLE_COPY_MOVE(PlainWire)

    qint64 read(char *to, qint64 most) override
    {
        ssize_t n = 0;
        do {
            n = ::recv(m_fd, to, size_t(most), 0);
        } while (n < 0 && errno == EINTR);
        return n;
    }

    bool write(QByteArrayView bytes) override
    {
        while (!bytes.isEmpty()) {
            const ssize_t n = ::send(m_fd, bytes.data(), size_t(bytes.size()), MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return false;
            bytes = bytes.sliced(n);
        }
        return true;
    }

private:
    int m_fd;
};

class TlsWire final : public Wire
{
public:
    TlsWire() : m_socket(std::make_unique<QSslSocket>())
    {
        // Without a limit it takes at once all that the system holds, and is slowed down by its memory.
        m_socket->setReadBufferSize(64 * 1024);
        QObject::connect(m_socket.get(), &QSslSocket::readyRead, &m_loop, &QEventLoop::quit);
        QObject::connect(m_socket.get(), &QSslSocket::disconnected, &m_loop, &QEventLoop::quit);
    }

    [[nodiscard]] QSslSocket &socket() { return *m_socket; }

    qint64 read(char *to, qint64 most) override
    {
        while (m_socket->bytesAvailable() == 0) {
            if (m_socket->state() != QAbstractSocket::ConnectedState)
                return 0;
            // Not waitForReadyRead(): it waits for the network although what was over the limit has still to be
            // decrypted.
            m_loop.exec();
        }
        return m_socket->read(to, most);
    }

    bool write(QByteArrayView bytes) override
    {
        // Piece by piece: small enough for the cache, and the system sends one while the next is encrypted.
        constexpr qsizetype piece = 64 * 1024;
        while (!bytes.isEmpty()) {
            const QByteArrayView next = bytes.first(std::min(piece, bytes.size()));
            bytes = bytes.sliced(next.size());
            if (m_socket->write(next.data(), next.size()) < 0)
                return false;
            m_socket->flush();
            const qint64 most = bytes.isEmpty() ? 0 : piece;
            while (m_socket->bytesToWrite() + m_socket->encryptedBytesToWrite() > most) {
                if (!m_socket->waitForBytesWritten(Patience))
                    return false;
            }
        }
        return true;
    }

private:
    QEventLoop m_loop; // first: a socket looks for its thread's event dispatcher, which this makes
    std::unique_ptr<QSslSocket> m_socket;
};

QByteArray pem(const char *name)
{
    QFile file(QStringLiteral(EVERWIRE_TLS_DIR "/") + QLatin1String(name));
    if (!file.open(QIODevice::ReadOnly))
        qFatal("%s cannot be read", qPrintable(file.fileName()));
    return file.readAll();
}

} // namespace

QSslCertificate certificate()
{
    return QSslCertificate(pem("localhost.crt"));
}

std::unique_ptr<Wire> plainWire(int fd)
{
    return std::make_unique<PlainWire>(fd);
}

std::unique_ptr<Wire> tlsWire(int fd)
{
    auto wire = std::make_unique<TlsWire>();
    QSslSocket &socket = wire->socket();
    QSslConfiguration configuration = QSslConfiguration::defaultConfiguration();
    configuration.setLocalCertificate(certificate());
    configuration.setPrivateKey(QSslKey(pem("localhost.key"), QSsl::Ec));
    socket.setSslConfiguration(configuration);
    if (!socket.setSocketDescriptor(fd))
        return nullptr;
    socket.setSocketOption(QAbstractSocket::LowDelayOption, 1);
    socket.startServerEncryption();
    if (!socket.waitForEncrypted(Patience))
        return nullptr;
    return wire;
}

std::unique_ptr<Wire> connectTo(quint16 port, bool tls)
{
    if (tls) {
        auto wire = std::make_unique<TlsWire>();
        wire->socket().connectToHostEncrypted(QStringLiteral("127.0.0.1"), port);
        if (!wire->socket().waitForEncrypted(Patience))
            return nullptr;
        return wire;
    }
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) < 0)
        return nullptr;
    return plainWire(fd);
}

} // namespace Bench
