// SPDX-License-Identifier: MIT
#pragma once

#include "chance.h"
#include "model.h"

#include "testkit/manualworld.h"

#include <Everwire/ConnectionHandle>
#include <Everwire/NetworkMonitor>
#include <Everwire/Subscription>
#include <Everwire/WebSocketProvider>

#include <QCryptographicHash>
#include <QHash>
#include <QObject>

#include <memory>

namespace Chaos {

// A rule that was broken, and all that it takes to see it again.
struct Violation
{
    quint64 seed = 0;
    int step = 0;
    QString rule;
    QString expected;
    QString seen;
    QStringList lastSteps;
    [[nodiscard]] QString toString() const;
};

// Answers when the run says so, or too late, or never.
class Tokens final : public Everwire::TokenProvider
{
    Q_OBJECT

public:
    std::function<void(const Everwire::TokenRequest &)> onFetch;

protected:
    void fetch(const Everwire::TokenRequest &request) override { onFetch(request); }
};

// One seed's connection, led through random steps beside the model.
class Run : public QObject, private Chance
{
    Q_OBJECT

public:
    explicit Run(quint64 seed, bool prints = false);
    ~Run() override;
    Q_DISABLE_COPY_MOVE(Run)

    [[nodiscard]] std::optional<Violation> go(int steps);
    [[nodiscard]] QByteArray hash() const { return m_hash.result().toHex(); }
    [[nodiscard]] const QHash<QString, int> &did() const { return m_did; } // steps by their kind

private:
    [[nodiscard]] Settings someSettings();

    // Steps.
    void step();
    void actApp();
    void actNetwork();
    void helpOn();
    void send();
    void answerToken();
    void answerLate();
    void receive();
    void end();
    void letTimePass(qint64 by);
    void changeSubscribers();
    void changeHandles();
    void changeUser();
    void arm();
    void blockApp();
    void burst();
    void finish();

    // Both sides.
    void note(const QString &what);
    void settle();
    void runWire();
    void drainApp();
    void advance(qint64 by);

    // Looking.
    void listen();
    void hear(const QString &channel, const QString &what);
    void hearWire();
    void compare();
    void compareProperties();
    void compareEnd(bool wasAbrupt);
    void require(bool condition, const char *rule, const QString &expected, const QString &seen);
    void useTokens();

    const quint64 m_seed;
    const bool m_prints;
    Everwire::ManualWorld m_world;
    std::unique_ptr<Everwire::WebSocketProvider> m_provider;
    Everwire::NetworkMonitor m_monitor;
    Everwire::Connection *m_connection = nullptr;
    std::unique_ptr<Tokens> m_tokens;
    struct Asked
    {
        Everwire::TokenRequest request;
        const Tokens *provider = nullptr;
    };
    std::vector<Asked> m_asked;
    size_t m_answered = 0;
    QStringList m_oldTokens;
    int m_user = 1;
    int m_tokenNumber = 0;
    Settings m_settings;
    std::unique_ptr<Model> m_model;
    std::map<int, std::unique_ptr<Everwire::ConnectionHandle>> m_handles;
    struct Subscriber
    {
        std::unique_ptr<QObject> context;
        Everwire::Subscription subscription;
    };
    std::map<int, Subscriber> m_subscribers;
    std::function<void()> m_armed;
    QHash<QByteArray, QString> m_names; // of what was sent
    Channels m_heard;
    qsizetype m_framesSeen = 0;
    qsizetype m_closesSeen = 0;
    int m_pingsSeen = 0;
    int m_number = 0;
    int m_step = 0;
    int m_probe = 0;
    int m_probeHeard = 0;
    qint64 m_now = 0;
    bool m_blocked = false;
    bool m_inBurst = false;
    QStringList m_trace;
    QCryptographicHash m_hash{QCryptographicHash::Sha256};
    QHash<QString, int> m_did;
    std::optional<Violation> m_violation;
};

// Whatever the library logs while this lives, rather than onto the terminal; no token may be in it (rule A7).
class LogKeeper
{
public:
    LogKeeper();
    ~LogKeeper();
    Q_DISABLE_COPY_MOVE(LogKeeper)
    [[nodiscard]] static QString leaked(); // the first line with a token in it
};

} // namespace Chaos
