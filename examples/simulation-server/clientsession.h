// SPDX-License-Identifier: MIT
#pragma once

#include "audioframer.h"
#include "faults.h"
#include "serveroptions.h"
#include "sessionstore.h"

#include <QJsonObject>
#include <QObject>
#include <QTimer>
#include <QUrl>

namespace Everwire::Demo {

class ClientChannel;

/// The conversation with one client over one connection: authentication first, then messages,
/// audio and faults. What must outlive the connection is in the SessionState it shares.
class ClientSession : public QObject
{
    Q_OBJECT

public:
    /// Takes \a channel over; \a options and \a store must outlive the session. \a fault is what the
    /// C++ API asked for this connection; a fault in \a url comes before it.
    ClientSession(ClientChannel *channel, const QUrl &url, const ServerOptions &options, SessionStore &store,
                  const Fault &fault, QObject *parent);
    ~ClientSession() override;

    void applyFault(const Fault &fault);

    [[nodiscard]] bool isAuthenticated() const { return m_session != nullptr; }

Q_SIGNALS:
    void authenticated(const QString &sessionId, const QString &userId);
    void turnFinished(const QString &sessionId, int turn);
    void closed();

private:
    void onText(const QString &text);
    void onBinary(const QByteArray &data);
    void authenticate(const QJsonObject &message);
    void refuse(bool expired);
    void admit(const QString &userId);
    bool chooseScenario(bool isNew);
    void chooseRole(const Scenario &scenario, bool isNew);
    void route(const QJsonObject &message, const QString &text);
    void takeAudio(const FramedAudio &framed);
    void completeTurn(const QJsonObject &message);
    void takeFault(const QJsonObject &message);
    void takeOverDelivery();
    void deliver();
    void sendError(const QString &text);
    void leave();

    ClientChannel *m_channel;
    const ServerOptions &m_options;
    SessionStore &m_store;
    QString m_sessionId; // from the URL or made up, until there is a session
    QString m_wantedScenario;
    QString m_wantedRole;
    bool m_isStream = false;
    Fault m_fault;
    QString m_faultError;
    QTimer m_authDeadline{this};
    QTimer m_delivery{this};
    AudioFramer m_framer;
    std::shared_ptr<SessionState> m_session;
    bool m_left = false;
};

} // namespace Everwire::Demo
