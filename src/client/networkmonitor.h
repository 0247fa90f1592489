// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QObject>

class QTimer;

namespace Everwire {

// Hints of when it is worth trying again (rule R7): never a gate, a connection tries without them, too.
// WebSocketProvider has the system's by default; a test, or an app that knows better, sets its own.
class EVERWIRE_EXPORT NetworkMonitor : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    // A connection waits, or has given up: from here on hints are of use. May be called again and again.
    virtual void watch() {}

Q_SIGNALS:
    // A network can be reached again, or the machine has woken up from a suspend. Waiting connections try at once,
    // open ones are checked by a ping, and those that gave up because of the network start afresh.
    void networkBack();
};

// QNetworkInformation's reachability where a backend for it loads, and a look at the clocks for suspends.
class EVERWIRE_EXPORT SystemNetworkMonitor final : public NetworkMonitor
{
    Q_OBJECT

public:
    explicit SystemNetworkMonitor(QObject *parent = nullptr);

    // Loads QNetworkInformation's backend, which takes some 10 ms: not while an application starts.
    void watch() override;

private:
    void look();

    QTimer *m_timer;
    bool m_isWatching = false;
    qint64 m_slept = 0; // ms since boot
    bool m_isReachable = true;
};

} // namespace Everwire
