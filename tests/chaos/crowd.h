// SPDX-License-Identifier: MIT
#pragma once

#include "run.h"

#include <deque>
#include <map>
#include <set>

namespace Chaos {

// Several connections of one provider at once, led through random steps: messages and requests,
// tokens that end and are renewed, users who change, servers that do not read, an app that falls
// behind. There is no model. A ledger of what the app was told and what each server has received
// must add up instead.
class Crowd : public QObject, private Chance
{
    Q_OBJECT

public:
    explicit Crowd(quint64 seed, bool prints = false);
    ~Crowd() override;
    Q_DISABLE_COPY_MOVE(Crowd)

    [[nodiscard]] std::optional<Violation> go(int steps);
    [[nodiscard]] const QHash<QString, int> &did() const { return m_did; } // steps by their kind

private:
    // A message that was accepted.
    struct Letter
    {
        enum class Kind { Text, Pair, Request } kind = Kind::Text;
        int user = 0;
        bool isUsersOnly = false; // a token of the user was used before it was written
        bool hasArrived = false;
        bool isAnswered = false; // by the server
        bool hasEnded = false;   // a request's future
        [[nodiscard]] int count() const { return kind == Kind::Pair ? 2 : 1; }
    };

    // A connection and its server.
    struct Member
    {
        QString type;
        Everwire::FakeTransport::Wire wire;
        Everwire::Connection *connection = nullptr;
        std::map<int, Letter> letters;
        int lastArrived = 0;
        qint64 discarded = 0; // as messagesDiscarded says
        qsizetype framesSeen = 0;
        std::deque<std::pair<int, Everwire::FakeTransport::Frame>> underWay; // by letter
        std::set<int> opened;                                                // sockets
        std::set<int> authenticated;
        std::map<int, QString> unanswered; // the token that waits for the server's answer, by socket
        std::map<int, int> userOf;         // by socket
        std::set<int> usersSeen;           // since the last close
        std::set<QString> refused;
        std::deque<int> expected; // messages that the app must still hear
        int probe = 0;
        int probeHeard = 0;
    };

    // Steps.
    void step();
    void actApp(Member &member);
    void actServer(Member &member);
    void helpOn(Member &member);
    void send(Member &member);
    void request(Member &member);
    void changeUser();
    void answerToken();
    void answerAuth(Member &member, Everwire::FakeTransport &transport);
    void deliver(Member &member);
    void reply(Member &member);
    void changeReading(Member &member);
    void advance(qint64 by);
    void finish();

    // Looking.
    void note(const QString &what);
    void settle();
    void hear(Member &member);
    void look(Member &member);
    void see(Member &member, int letter, const Everwire::FakeTransport::Frame &frame);
    void arrive(Member &member, int letter, const Everwire::FakeTransport::Frame &frame);
    void lookAtSignOut();
    void require(bool condition, const char *rule, const QString &expected, const QString &seen);
    [[nodiscard]] Everwire::FakeTransport *someSocket(Member &member);
    [[nodiscard]] QString nextToken();

    const quint64 m_seed;
    const bool m_prints;
    Everwire::ManualWorld m_world;
    std::array<Member, 3> m_members;
    std::unique_ptr<Everwire::WebSocketProvider> m_provider;
    Everwire::NetworkMonitor m_monitor;
    Tokens m_tokens;
    std::vector<Everwire::TokenRequest> m_asked;
    std::map<QString, int> m_users; // of tokens
    int m_user = 1;
    int m_number = 0;
    int m_step = 0;
    bool m_blocked = false;
    QStringList m_trace;
    QHash<QString, int> m_did;
    std::optional<Violation> m_violation;
};

} // namespace Chaos
