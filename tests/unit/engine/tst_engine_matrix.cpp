// SPDX-License-Identifier: MIT
//
// Every phase of the engine × everything that can happen to it, with and without authentication.
#include "enginerig.h"

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

namespace {

struct PhaseColumn
{
    const char *name;
    ConnectionState state;
    bool needsAuthentication; // there is no such phase without
};

constexpr PhaseColumn Phases[] = {
    {"Idle", ConnectionState::Disconnected, false},
    {"Failed", ConnectionState::Error, false},
    {"FetchingToken", ConnectionState::Connecting, true},
    {"Opening", ConnectionState::Connecting, false},
    {"Authenticating", ConnectionState::Authenticating, true},
    {"Established", ConnectionState::Connected, false},
    {"Waiting", ConnectionState::Reconnecting, false},
    {"Waiting+Goodbye", ConnectionState::Reconnecting, true}, // the refused connection closes meanwhile
    {"Closing", ConnectionState::Disconnecting, false},
    {"Closing/Auth", ConnectionState::Disconnecting, true}, // closed while authenticating
};
constexpr int PhaseCount = int(std::size(Phases));

struct EventRow
{
    const char *name;
    const char *rules;
    // The state after it, one letter a phase: D(isconnected) C(onnecting) A(uthenticating) O(pen: connected)
    // R(econnecting) X (disconnecting) E(rror).
    const char *expected;
    void (*happen)(EngineRig &rig);
};

// The network speaks where there is a connection to speak on.
template<typename Function>
void onWire(EngineRig &rig, Function function)
{
    if (rig.wire.current)
        function(*rig.wire.current);
}

void end(EngineRig &rig, int code)
{
    onWire(rig, [code](FakeTransport &t) {
        t.end(code == 1006 ? ConnectionError::ConnectionLost : ConnectionError::ClosedByServer, code);
    });
}

void answer(EngineRig &rig, TokenResult::Kind kind, const QString &token = {})
{
    rig.answer({kind, token, u"why"_s});
}

// clang-format off
const EventRow Events[] = {
    // Columns: Idle, Failed, FetchingToken, Opening, Authenticating, Established, Waiting, Waiting+Goodbye,
    //          Closing, Closing/Auth
    {"open", "S1 S2 S3 O1", "CCCCAOCCXX", [](EngineRig &rig) { rig.postOpen(); }},
    {"close", "O2 O3", "DDDDXXDDXX", [](EngineRig &rig) { rig.postClose(); }},
    {"reconnect", "S2 C5", "CCCCCCCCXX", [](EngineRig &rig) { rig.postReconnect(); }},
    {"token current", "A1", "DECCAORRXX", [](EngineRig &rig) { answer(rig, TokenResult::Token, u"token-2"_s); }},
    {"token stale", "A1 O2", "DECCAORRXX", [](EngineRig &rig) {
        rig.post(Command::AnswerToken{rig.lastRequest() + 7, {TokenResult::Token, u"stale"_s, {}}});
        rig.post(Command::AnswerToken{0, {TokenResult::None, {}, {}}});
    }},
    {"token none", "A4", "DEECAORRXX", [](EngineRig &rig) { answer(rig, TokenResult::None); }},
    {"token failed", "A4", "DERCAORRXX", [](EngineRig &rig) { answer(rig, TokenResult::Failed); }},
    {"token refused before", "A3", "DEECAORRXX", [](EngineRig &rig) {
        answer(rig, TokenResult::Token, u"refused"_s);
    }},
    {"token with a line end", "A7", "DEECAORRXX", [](EngineRig &rig) {
        answer(rig, TokenResult::Token, u"token\n"_s);
    }},
    {"resume reading", "M8", "DECCAORRXX", [](EngineRig &rig) { rig.post(Command::ResumeReading{}); }},
    {"network back", "R7", "DECCAORRXX", [](EngineRig &rig) { rig.post(Command::NetworkBack{}); }},
    {"preparation stale", "O2", "DECCAORRXX", [](EngineRig &rig) {
        rig.post(Command::AnswerPreparation{rig.lastRequest(), {PreparationResult::Refused, {}, {}}, {}});
    }},
    {"configure", "C5", "DECCAORRXX", [](EngineRig &rig) { rig.postConfigure(rig.config); }},
    {"set debug", "C4", "DECCAORRXX", [](EngineRig &rig) { rig.post(Command::SetDebug{true}); }},
    {"opened", "S1", "DECAAORRXX", [](EngineRig &rig) { onWire(rig, [](auto &t) { t.connectTo(); }); }},
    {"auth_success", "S1 A6", "DECCOORRXX", [](EngineRig &rig) {
        onWire(rig, [](auto &t) { t.receive(EngineRig::success()); });
    }},
    {"auth_error", "A3", "DECCRORRXX", [](EngineRig &rig) {
        onWire(rig, [](auto &t) { t.receive(R"({"type":"auth_error","error":"Invalid token"})"); });
    }},
    {"auth failed, form 2", "A3", "DECCRORRXX", [](EngineRig &rig) {
        onWire(rig, [](auto &t) {
            t.receive(R"({"type":"error","payload":{"error":"token expired","code":"auth_failed"}})");
        });
    }},
    {"message", "M1 A6", "DECCAORRXX", [](EngineRig &rig) {
        onWire(rig, [](auto &t) { t.receive(R"({"type":"status","state":"ready"})"); });
    }},
    {"malformed text", "M2", "DECCAORRXX", [](EngineRig &rig) {
        onWire(rig, [](auto &t) { t.receive("{\"type\":"); });
    }},
    {"binary", "M3", "DECCAORRXX", [](EngineRig &rig) {
        onWire(rig, [](auto &t) { t.receiveBinary(QByteArray(300, '\0')); });
    }},
    {"alive", "H1", "DECCAORRXX", [](EngineRig &rig) { onWire(rig, [](auto &t) { t.showLife(); }); }},
    {"written", "Q7", "DECCAORRXX", [](EngineRig &rig) { onWire(rig, [](auto &t) { t.take(1000); }); }},
    {"ended 1000", "R6", "DECRRRRRDD", [](EngineRig &rig) { end(rig, 1000); }},
    {"ended 1006", "R6 R8", "DECRRRRRDD", [](EngineRig &rig) { end(rig, 1006); }},
    {"ended 1008", "A3 R6", "DECERERRDD", [](EngineRig &rig) { end(rig, 1008); }},
    {"ended 4001", "A3 R6", "DECRRRRRDD", [](EngineRig &rig) { end(rig, 4001); }},
    {"ended 4002", "A2 R6", "DECRRRRRDD", [](EngineRig &rig) { end(rig, 4002); }},
    {"ended before it opened", "R6", "DECRRRRRDD", [](EngineRig &rig) {
        onWire(rig, [](auto &t) { t.end(ConnectionError::ConnectionRefused, 0); });
    }},
    // tokenTimeout, connectTimeout, authTimeout, stableAfter, retry, half of closeTimeout.
    {"the phase's timer", "R9 A2 R4 O3", "DERRROCCXX", [](EngineRig &rig) {
        if (rig.scheduler.pending() > 0)
            rig.scheduler.advance(rig.scheduler.untilNext());
    }},
    // Where 35 s lead with nobody answering anything: through timeouts of 10 s (token, connecting) and waits
    // of 1, 2 and 4 s; where it was established, through an unanswered ping.
    {"35 s of silence", "H1 R1 R9", "DERRCRCCDD", [](EngineRig &rig) { rig.scheduler.advance(35s); }},
    {"shutdown", "O6", "DDDDDDDDDD", [](EngineRig &rig) { (void)rig.engine->shutdown(); }},
};
// clang-format on

ConnectionState stateOf(char letter)
{
    switch (letter) {
    case 'D': return ConnectionState::Disconnected;
    case 'C': return ConnectionState::Connecting;
    case 'A': return ConnectionState::Authenticating;
    case 'O': return ConnectionState::Connected;
    case 'R': return ConnectionState::Reconnecting;
    case 'X': return ConnectionState::Disconnecting;
    default: return ConnectionState::Error;
    }
}

void drive(EngineRig &rig, const QByteArray &phase)
{
    if (phase == "Idle")
        return;
    if (phase == "FetchingToken") {
        rig.postOpen();
        return;
    }
    rig.toOpening();
    if (phase == "Failed") {
        end(rig, CloseCode::PolicyViolation);
    } else if (phase == "Waiting") {
        end(rig, CloseCode::Abnormal);
    } else if (phase == "Authenticating" || phase == "Waiting+Goodbye" || phase == "Closing/Auth") {
        rig.wire.current->connectTo();
        if (phase == "Waiting+Goodbye")
            rig.wire.current->receive(R"({"type":"auth_error","error":"no"})");
        else if (phase == "Closing/Auth")
            rig.postClose();
    } else if (phase != "Opening") {
        rig.connectTo();
        if (phase.startsWith("Closing"))
            rig.postClose();
    }
}

} // namespace

class TestEngineMatrix : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyPhaseTimesEveryEvent_data();
    void everyPhaseTimesEveryEvent();

private:
    void checkChain(EngineRig &rig);
    void checkWire(const EngineRig &rig);
    void checkMessages(EngineRig &rig, const QByteArray &message, bool accepted);
};

void TestEngineMatrix::everyPhaseTimesEveryEvent_data()
{
    QTest::addColumn<bool>("authenticates");
    QTest::addColumn<int>("phase");
    QTest::addColumn<int>("event");
    for (const bool authenticates : {true, false}) {
        for (int event = 0; event < int(std::size(Events)); ++event) {
            QCOMPARE(int(qstrlen(Events[event].expected)), PhaseCount);
            for (int phase = 0; phase < PhaseCount; ++phase) {
                if (authenticates || !Phases[phase].needsAuthentication)
                    QTest::addRow("%s x %s%s (%s)", Phases[phase].name, Events[event].name,
                                  authenticates ? "" : ", no authentication", Events[event].rules)
                        << authenticates << phase << event;
            }
        }
    }
}

// Rules: S5, S7 (and those of the row)
void TestEngineMatrix::everyPhaseTimesEveryEvent()
{
    QFETCH(bool, authenticates);
    QFETCH(int, phase);
    QFETCH(int, event);
    const EventRow &row = Events[event];
    const bool isShutdown = row.happen == Events[std::size(Events) - 1].happen;

    EngineRig rig(authenticates ? EngineRig::plain() : EngineRig::open());
    if (authenticates) {
        // A token that the server has refused already, in an earlier life of the same engine.
        rig.toOpening(u"refused"_s);
        rig.wire.current->connectTo();
        rig.wire.current->receive(R"({"type":"auth_error","error":"no"})");
        rig.postClose();
        rig.scheduler.advance(rig.config.closeTimeout());
        QCOMPARE(rig.scheduler.pending(), 0);
        QCOMPARE(rig.wire.alive, 0);
        rig.wire.sent.clear();
    }
    drive(rig, Phases[phase].name);
    rig.scheduler.advance(0ms); // the event loop comes round
    QCOMPARE(rig.engine->state(), Phases[phase].state);
    checkChain(rig);

    const QByteArray message = R"({"type":"mine"})";
    const bool accepted = rig.push(message).accepted;
    const bool closed = Phases[phase].state == ConnectionState::Disconnected ||
                        QByteArray(Phases[phase].name).startsWith("Closing");
    if (!closed)
        QVERIFY(accepted); // rule Q2

    row.happen(rig);
    ConnectionState expected = stateOf(row.expected[phase]);
    if (!authenticates && Phases[phase].name == QByteArrayLiteral("Opening") &&
        row.name == QByteArrayLiteral("opened"))
        expected = ConnectionState::Connected; // rule S1
    QCOMPARE(rig.state(), QString::fromLatin1(toString(expected)));
    if (isShutdown) {
        QCOMPARE(rig.wire.alive, 0);
        QCOMPARE(rig.wire.sockets, 0);
        rig.engine.reset();
        QCOMPARE(rig.scheduler.pending(), 0);
        return;
    }
    checkChain(rig);
    checkWire(rig);

    rig.scheduler.advance(rig.config.closeTimeout());
    checkChain(rig);
    checkWire(rig);
    QVERIFY(rig.wire.alive <= 1);

    // Whatever happened, close() ends it all (rules O2, O3).
    rig.postClose();
    QCOMPARE(rig.generation, rig.entries().empty() ? rig.generation : rig.entries().back().generation);
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rig.engine->state(), ConnectionState::Disconnected);
    QCOMPARE(rig.scheduler.pending(), 0);
    QCOMPARE(rig.wire.alive, 0);
    QCOMPARE(rig.wire.sockets, 0);
    checkChain(rig);
    checkWire(rig);
    checkMessages(rig, message, accepted);

    const int made = rig.wire.made;
    rig.scheduler.advance(24h);
    QCOMPARE(rig.wire.made, made);
    QCOMPARE(rig.engine->state(), ConnectionState::Disconnected);
}

// What was reported is a walk through the table that ends where the engine is.
void TestEngineMatrix::checkChain(EngineRig &rig)
{
    ConnectionState state = ConnectionState::Disconnected;
    quint32 generation = 0;
    for (const auto &entry : rig.entries()) {
        QVERIFY(entry.generation >= generation);
        generation = entry.generation;
        const auto *transition = entry.as<Transition>();
        if (!transition)
            continue;
        // A close() that finds nothing to close is answered too.
        const bool answersClose = state == ConnectionState::Disconnected && transition->to == state;
        if (!answersClose && !isTransitionAllowed(state, transition->to))
            QFAIL(qPrintable(rig.states()));
        state = transition->to;
        QCOMPARE(transition->retryDelay.count() > 0, state == ConnectionState::Reconnecting);
        QCOMPARE(transition->error.code() != ConnectionError::NoError,
                 state == ConnectionState::Reconnecting || state == ConnectionState::Error);
        QCOMPARE(transition->error.isFinal(), state == ConnectionState::Error);
    }
    QCOMPARE(rig.state(), QString::fromLatin1(toString(state)));
}

void TestEngineMatrix::checkWire(const EngineRig &rig)
{
    QCOMPARE(rig.wire.deletedInCall, 0);
    QVERIFY(rig.wire.mostSockets <= 1 && rig.wire.mostGoodbyes <= 1); // rule O1
    // Rule A1: the token comes first, and nothing else before the answer.
    int socket = 0;
    for (const auto &frame : rig.wire.sent) {
        if (std::exchange(socket, frame.socket) != frame.socket && rig.authenticates())
            QVERIFY2(frame.bytes.startsWith(R"({"token")"), frame.bytes.constData());
        QVERIFY(!frame.bytes.contains("refused")); // rule A3
    }
}

// Accepted means sent once or reported as lost; nothing in between (rules Q1, Q8).
void TestEngineMatrix::checkMessages(EngineRig &rig, const QByteArray &message, bool accepted)
{
    const auto sent = rig.sent().count(message);
    QVERIFY(sent <= 1);
    QCOMPARE(sent + rig.discarded(), accepted ? 1 : 0);
    QCOMPARE(rig.outbox->counters().messages, 0);
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

QTEST_GUILESS_MAIN(TestEngineMatrix)
#include "tst_engine_matrix.moc"
