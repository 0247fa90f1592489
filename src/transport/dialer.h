// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QHostAddress>
#include <QList>
#include <QTcpSocket>
#include <QTimer>

#include <chrono>
#include <functional>

namespace Everwire {

// Connects to whichever address of a name answers (RFC 8305, "Happy Eyeballs"): Qt's sockets try one after the other,
// and a dead one takes half a minute. For one attempt.
class EVERWIRE_EXPORT Dialer
{
public:
    // The addresses, best first; where there are none, why.
    using Resolved = std::function<void(const QList<QHostAddress> &addresses, const QString &problem)>;
    // Calls back once, now or later, but not when the context is gone.
    using Resolver = std::function<void(const QString &host, QObject *context, const Resolved &resolved)>;
    using MakeSocket = std::function<QTcpSocket *()>;

    struct Outcome
    {
        QTcpSocket *socket =
            nullptr; // connected, inside its connected() signal, and the receiver's to delete
        QAbstractSocket::SocketError error = QAbstractSocket::UnknownSocketError;
        QString problem;
    };
    using Done = std::function<void(const Outcome &)>;

    // Asks the operating system each time, without a cache. The look-up runs in a thread that the
    // end of the application does not wait for.
    [[nodiscard]] static Resolver systemResolver();
    // First that of the first one's family, then alternately of both (RFC 8305 §4).
    [[nodiscard]] static QList<QHostAddress> interleaved(const QList<QHostAddress> &addresses);

    // RFC 8305 §5 recommends it.
    static constexpr std::chrono::milliseconds AttemptDelay{250};

    // delay: before the next address is tried beside one that has not answered.
    Dialer(Resolver resolver, MakeSocket makeSocket, Done done,
           std::chrono::milliseconds delay = AttemptDelay);
    ~Dialer();
    Q_DISABLE_COPY_MOVE(Dialer)

    void dial(const QString &host, quint16 port, QIODevice::OpenMode mode);
    // Nothing is called back any more. Safe inside the call back, too, where destruction is not.
    void abort();

private:
    void startNext();
    void connected(QTcpSocket *socket);
    void failed(QTcpSocket *socket);
    void forget(QTcpSocket *socket);
    void finish(const Outcome &outcome);

    Resolver m_resolver;
    MakeSocket m_makeSocket;
    Done m_done;
    QObject m_context; // of every connection to a socket, and of the resolver
    QTimer m_next;
    quint16 m_port = 0;
    QIODevice::OpenMode m_mode;
    QList<QHostAddress> m_waiting;
    QList<QTcpSocket *> m_trying;
    QStringList m_tried;
    Outcome m_worst; // the most telling failure so far
};

} // namespace Everwire
