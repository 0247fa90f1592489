// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QtGlobal>

#include <optional>

namespace Everwire {

// What the operating system knows of a TCP connection and Qt's sockets do not tell. Holds a descriptor of its
// own, so that it can be asked after Qt has closed the socket, and the connection lives until both have gone.
// Where the system does not tell (Linux does), functions do nothing and return nothing.
class EVERWIRE_EXPORT SystemSocket
{
public:
    // Bytes that the system has taken and the peer's system has not confirmed.
    struct Buffered
    {
        qint64 unconfirmed = 0;
        qint64 unsent = 0;   // of these: not sent yet
        bool isDead = false; // the connection is over: nothing more is sent or confirmed
    };

    SystemSocket() = default;
    // descriptor: QAbstractSocket::socketDescriptor()'s, which stays Qt's.
    explicit SystemSocket(qintptr descriptor);
    ~SystemSocket();
    SystemSocket(SystemSocket &&other) noexcept;
    SystemSocket &operator=(SystemSocket &&other) noexcept;

    [[nodiscard]] bool isValid() const { return m_descriptor >= 0; }
    [[nodiscard]] std::optional<Buffered> buffered() const { return buffered(m_descriptor); }
    // A half-close: the peer sees our end, and we go on reading (TCP's FIN).
    void finishWriting() const;
    // Sends next to nothing any more, so that what is on its way is soon all that is.
    void holdBack() const;
    // The end of the connection is a reset (TCP's RST), and what is not confirmed is not sent any more.
    void resetOnClose() const;

    // The same of a socket of which no second descriptor is wanted.
    [[nodiscard]] static std::optional<Buffered> buffered(qintptr descriptor);
    [[nodiscard]] static qint64 unsentBytes(qintptr descriptor);
    // Makes the system take no more than a few kilobytes beyond what it can send, so that what waits on a slow
    // line waits where it can be counted, cancelled and sent on another connection.
    static void limitUnsent(qintptr descriptor);

private:
    Q_DISABLE_COPY(SystemSocket)
    void release();

    qintptr m_descriptor = -1;
};

} // namespace Everwire
