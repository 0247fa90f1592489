// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QtGlobal>

#include <optional>

namespace Everwire {

// What the operating system knows of a TCP connection and Qt's sockets do not report. It holds a
// descriptor of its own, so that it can be asked after Qt has closed the socket. The connection
// lives until both descriptors are closed. If the system does not provide this (Linux does),
// functions do nothing and return nothing.
class EVERWIRE_EXPORT SystemSocket
{
public:
    // Bytes that the system has accepted and the peer's system has not confirmed.
    struct Buffered
    {
        qint64 unconfirmed = 0;
        qint64 unsent = 0; // of unconfirmed: not sent yet
        // The bytes in flight were sent again and would be confirmed by now. They are not sent once
        // more within the next 50 ms.
        bool isLost = false;
        bool isDead = false; // the connection is over: nothing more is sent or confirmed
        // No bytes are in flight that may still be confirmed.
        [[nodiscard]] bool isSettled() const { return isDead || isLost || unconfirmed <= unsent; }
    };

    SystemSocket() = default;
    // descriptor: from QAbstractSocket::socketDescriptor(). It is duplicated. Qt keeps the
    // original.
    explicit SystemSocket(qintptr descriptor);
    ~SystemSocket();
    SystemSocket(SystemSocket &&other) noexcept;
    SystemSocket &operator=(SystemSocket &&other) noexcept;

    [[nodiscard]] bool isValid() const { return m_descriptor >= 0; }
    [[nodiscard]] std::optional<Buffered> buffered() const;
    // Sends a half-close (TCP's FIN): the peer sees our end, and we can still read.
    void finishWriting();
    // Stops sending as far as possible, so that only the bytes already in flight remain to be
    // confirmed. Returns what ask() says of them. If its isSettled is true, that is final.
    template<typename Ask>
    auto holdBack(Ask &&ask) const
    {
        slowDown();
        auto answer = ask();
        if (answer.isSettled) {
            setIgnoresPeer(true); // its next packet could start one of ours
            answer = ask();
            if (!answer.isSettled)
                setIgnoresPeer(false);
        }
        return answer;
    }
    // Slows sending to almost nothing.
    void slowDown() const;
    // Whether packets of the peer are ignored, so that nothing in flight can be confirmed either.
    void setIgnoresPeer(bool ignores) const;
    // Makes the close of the connection a reset (TCP's RST), so that unconfirmed bytes are not sent
    // any more.
    void resetOnClose() const;

    // The same for a socket without a second descriptor.
    [[nodiscard]] static std::optional<Buffered> buffered(qintptr descriptor);
    [[nodiscard]] static qint64 unsentBytes(qintptr descriptor);
    // Limits what the system accepts to a few kilobytes more than it can send. On a slow line,
    // messages then wait in our queue, where they can be counted, cancelled, or sent on another
    // connection.
    static void limitUnsent(qintptr descriptor);

private:
    Q_DISABLE_COPY(SystemSocket)
    void release();

    qintptr m_descriptor = -1;
    bool m_isHalfClosed = false;
};

} // namespace Everwire
