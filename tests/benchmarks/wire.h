// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QSslCertificate>

#include <memory>

namespace Bench {

// A blocking connection, with TLS or without.
class Wire
{
public:
    Wire() = default;
    virtual ~Wire() = default;
    Q_DISABLE_COPY_MOVE(Wire)

    // 0 or less at the end.
    virtual qint64 read(char *to, qint64 most) = 0;
    // All of it.
    virtual bool write(QByteArrayView bytes) = 0;
};

// The server's side of an accepted connection; nullptr where TLS failed. Both take the descriptor over.
std::unique_ptr<Wire> plainWire(int fd);
std::unique_ptr<Wire> tlsWire(int fd);
// The client's side.
std::unique_ptr<Wire> connectTo(quint16 port, bool tls);

QSslCertificate certificate();

} // namespace Bench
