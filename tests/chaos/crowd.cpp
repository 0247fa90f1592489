// SPDX-License-Identifier: MIT
#include "crowd.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>

using namespace Everwire;

namespace Chaos {

namespace {

using std::chrono::milliseconds;

constexpr int StepsShown = 40;
constexpr qint64 CloseTimeout = 3000; // ms

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

QByteArray json(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

// The number of the letter that a frame carries; 0: none.
int letterIn(const FakeTransport::Frame &frame)
{
    if (frame.bytes.startsWith('#'))
        return frame.bytes.mid(1, frame.bytes.indexOf('.') - 1).toInt();
    return QJsonDocument::fromJson(frame.bytes).object().value(s("n")).toInt();
}

} // namespace

Crowd::Crowd(quint64 seed, bool prints) : Chance(seed), m_seed(seed), m_prints(prints)
{
    for (size_t i = 0; i < m_members.size(); ++i) {
        m_members.at(i).type = QStringLiteral("member%1").arg(i);
        m_members.at(i).wire.canPause = true;
        m_world.wires[m_members.at(i).type] = &m_members.at(i).wire;
    }
    m_tokens.onFetch = [this](const TokenRequest &request) { m_asked.push_back(request); };
    m_provider = std::make_unique<WebSocketProvider>();
    m_provider->setNetworkMonitor(&m_monitor);
    m_provider->setTokenProvider(&m_tokens);
    for (Member &member : m_members) {
        m_provider->configure(member.type,
                              ConnectionConfig()
                                  .setUrl(s("wss://server.example/stream"))
                                  .setTokenRenewal(oneOf({ConnectionConfig::TokenRenewal::Reconnect,
                                                          ConnectionConfig::TokenRenewal::Reauthenticate}))
                                  .setInitialReconnectDelay(milliseconds(200))
                                  .setMaxReconnectDelay(milliseconds(1000))
                                  .setReconnectJitter(0)
                                  .setMaxReconnectAttempts(oneOf({-1, 3}))
                                  .setMaxQueuedMessages(oneOf({5, 100}))
                                  .setQueueOverflow(oneOf({ConnectionConfig::QueueOverflow::Reject,
                                                           ConnectionConfig::QueueOverflow::DropOldest}))
                                  .setMaxPendingBytes(4096)
                                  .setCloseTimeout(milliseconds(CloseTimeout))
                                  .setHeartbeat(ConnectionConfig::Heartbeat::Off)
                                  .setHistoryLimit(5));
        member.connection = m_provider->connection(member.type);
        hear(member);
    }
}

Crowd::~Crowd()
{
    m_provider.reset(); // while there are those who listen to it
}

std::optional<Violation> Crowd::go(int steps)
{
    for (m_step = 1; m_step <= steps && !m_violation; ++m_step)
        step();
    if (!m_violation)
        finish();
    return m_violation;
}

void Crowd::step()
{
    if (m_blocked && oneIn(4)) {
        note(s("the UI goes on"));
        m_blocked = false;
    }
    Member &member = m_members.at(size_t(below(int(m_members.size()))));
    const int kind = below(100);
    if (kind < 30)
        helpOn(member);
    else if (kind < 55 && !m_blocked)
        actApp(member);
    else if (kind < 85)
        actServer(member);
    else if (kind < 96)
        advance(oneOf<qint64>({0, 1, 20, 200, 1000, 3000, 6000, 30'000}));
    else if (!m_blocked)
        note(s("the UI blocks")), m_blocked = true;
    settle();
}

// ---- The app ----

void Crowd::actApp(Member &member)
{
    Connection &connection = *member.connection;
    switch (below(20)) {
    case 0:
        note(s("close ") + member.type);
        member.expected.clear();
        connection.close();
        return;
    case 1:
    case 2:
        note(s("reconnect ") + member.type);
        connection.reconnect();
        return;
    case 3: return changeUser();
    case 4:
        note(s("wake after suspend"));
        Q_EMIT m_monitor.networkBack();
        return;
    case 5:
        note(s("open ") + member.type);
        connection.open();
        return;
    case 6:
    case 7:
    case 8:
    case 9: return request(member);
    default: return send(member);
    }
}

void Crowd::helpOn(Member &member)
{
    FakeTransport *const transport = member.wire.current;
    if (!m_asked.empty() && !m_blocked) {
        answerToken();
    } else if (transport && transport->hasSocket() && member.opened.count(transport->number()) == 0) {
        note(s("opened ") + member.type);
        member.opened.insert(transport->number());
        transport->connectTo();
    } else if (transport && transport->hasSocket() && member.unanswered.count(transport->number()) > 0) {
        answerAuth(member, *transport);
    } else if (!m_blocked && !member.connection->isConnected()) {
        note(s("open ") + member.type);
        member.connection->open();
    } else if (!m_blocked) {
        send(member);
    }
}

void Crowd::send(Member &member)
{
    const int number = ++m_number;
    const QByteArray body = '#' + QByteArray::number(number) + QByteArray(1 + below(200), '.');
    Letter letter{oneIn(3) ? Letter::Kind::Pair : Letter::Kind::Text, m_user,
                  member.usersSeen.count(m_user) > 0};
    note(QStringLiteral("send %1 %2").arg(number).arg(member.type));
    const bool accepted = letter.kind == Letter::Kind::Pair
                              ? member.connection->sendJson({{s("type"), s("pair")}, {s("n"), number}}, body)
                              : member.connection->send(QString::fromLatin1(body));
    if (accepted)
        member.letters.emplace(number, letter);
}

void Crowd::request(Member &member)
{
    const int number = ++m_number;
    note(QStringLiteral("request %1 %2").arg(number).arg(member.type));
    Letter letter{Letter::Kind::Request, m_user, member.usersSeen.count(m_user) > 0};
    member.letters.emplace(number, letter);
    const auto end = [this, &member, number](bool isAnswered) {
        Letter &ended = member.letters.at(number);
        require(!ended.hasEnded, "Q11", s("a request ends once"), QString::number(number));
        require(!isAnswered || ended.isAnswered, "Q11", s("a reply to a request"), QString::number(number));
        ended.hasEnded = true;
    };
    QFuture<QJsonObject> future = member.connection->request(
        {{s("type"), s("ask")}, {s("n"), number}, {s("request_id"), QStringLiteral("r%1").arg(number)}},
        milliseconds(oneOf({500, 5000, 60'000})));
    if (oneIn(8)) {
        note(QStringLiteral("cancel %1").arg(number));
        end(false);
        future.cancel();
        return;
    }
    future.then(this, [end](const QJsonObject &) { end(true); })
        .onFailed(this, [end](const std::exception &) { end(false); });
}

void Crowd::changeUser()
{
    note(s("user signs in"));
    ++m_user;
    for (Member &member : m_members) {
        member.expected.clear();
        member.usersSeen.clear();
    }
    m_provider->signIn();
    lookAtSignOut();
}

QString Crowd::nextToken()
{
    const QJsonObject claims{{s("sub"), QStringLiteral("u%1").arg(m_user)},
                             {s("exp"), m_world.wallClock / 1000 + oneOf({20, 90, 3600})},
                             {s("jti"), ++m_number}};
    const QByteArray payload =
        json(claims).toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals);
    const QString token = s("e30.") + QString::fromLatin1(payload) + s(".sig");
    m_users[token] = m_user;
    return token;
}

void Crowd::answerToken()
{
    const TokenRequest request = m_asked.back();
    m_asked.pop_back();
    const int kind = below(16);
    if (kind == 0) {
        note(s("token failed"));
        request.reject(s("no"));
        return;
    }
    note(kind == 1 ? s("token of another user") : s("token"));
    m_user += kind == 1 ? 1 : 0;
    request.resolve(nextToken());
}

// ---- The servers ----

FakeTransport *Crowd::someSocket(Member &member)
{
    std::vector<FakeTransport *> open;
    for (FakeTransport *transport : member.wire.living) {
        if (transport->hasSocket())
            open.push_back(transport);
    }
    return open.empty() ? nullptr : open.at(size_t(below(int(open.size()))));
}

void Crowd::actServer(Member &member)
{
    FakeTransport *const transport = someSocket(member);
    if (!transport)
        return;
    const int number = transport->number();
    const int kind = below(20);
    if (kind < 2) {
        changeReading(member);
    } else if (member.opened.count(number) == 0) {
        if (!oneIn(4))
            return;
        note(s("refused ") + member.type);
        transport->end(ConnectionError::ConnectionRefused, 0);
    } else if (transport->isClosing() && kind < 12) {
        note(s("the server ends ") + member.type);
        transport->end(ConnectionError::ClosedByServer, 1000);
    } else if (kind < 5 && member.unanswered.count(number) > 0) {
        answerAuth(member, *transport);
    } else if (kind < 13) {
        deliver(member);
    } else if (kind < 18) {
        reply(member);
    } else {
        note(s("lost ") + member.type);
        const bool byFrame = oneIn(2);
        transport->end(byFrame ? ConnectionError::ClosedByServer : ConnectionError::ConnectionLost,
                       byFrame ? oneOf({1001, 1011, 4401}) : 1006);
    }
}

void Crowd::answerAuth(Member &member, FakeTransport &transport)
{
    const QString token = member.unanswered.at(transport.number());
    member.unanswered.erase(transport.number());
    if (oneIn(10)) {
        note(s("auth_error ") + member.type);
        member.refused.insert(token);
        transport.receive(QByteArray(R"({"type":"auth_error","error":"no"})"));
        return;
    }
    note(s("auth_success ") + member.type);
    member.authenticated.insert(transport.number());
    transport.receive(QByteArray(R"({"type":"auth_success","session_id":"s-1"})"));
}

void Crowd::deliver(Member &member)
{
    FakeTransport *const transport = member.wire.current;
    if (!transport || !transport->hasSocket() || member.wire.paused ||
        member.authenticated.count(transport->number()) == 0 || !member.connection->isConnected())
        return;
    const int number = ++m_number;
    note(QStringLiteral("received %1 %2").arg(number).arg(member.type));
    member.expected.push_back(number);
    transport->receive(json({{s("type"), s("n")}, {s("n"), number}, {s("pad"), QString(below(1500), u'.')}}));
}

void Crowd::reply(Member &member)
{
    FakeTransport *const transport = member.wire.current;
    if (!transport || !transport->hasSocket() || member.wire.paused || !member.connection->isConnected())
        return;
    for (auto &[number, letter] : member.letters) {
        if (letter.kind != Letter::Kind::Request || !letter.hasArrived || letter.isAnswered)
            continue;
        note(QStringLiteral("reply %1 %2").arg(number).arg(member.type));
        letter.isAnswered = true;
        transport->receive(json({{s("request_id"), QStringLiteral("r%1").arg(number)}}));
        return;
    }
}

void Crowd::changeReading(Member &member)
{
    if (member.wire.takesBytes) {
        note(s("stops reading ") + member.type);
        member.wire.takesBytes = false;
        return;
    }
    const bool all = oneIn(2);
    note((all ? s("reads again ") : s("reads a little ")) + member.type);
    member.wire.takesBytes = all;
    const std::vector<FakeTransport *> living = member.wire.living;
    for (FakeTransport *transport : living) {
        if (transport->hasSocket())
            transport->take(all ? transport->bytesToWrite() : 1 + below(300));
    }
}

void Crowd::advance(qint64 by)
{
    note(QStringLiteral("wait %1 ms").arg(by));
    while (by > 0) {
        const qint64 next = m_world.scheduler.untilNext().count();
        const qint64 part = next < 0 ? by : std::clamp<qint64>(next, 1, by);
        m_world.wallClock += part;
        m_world.scheduler.advance(milliseconds(part));
        settle();
        by -= part;
    }
}

void Crowd::finish()
{
    note(s("close, and the end"));
    m_blocked = false;
    settle();
    for (Member &member : m_members) {
        member.expected.clear();
        member.connection->close();
    }
    settle();
    advance(3 * CloseTimeout);
    for (Member &member : m_members) {
        require(member.connection->state() == Connection::Disconnected, "O3", s("disconnected"), member.type);
        qint64 missing = 0;
        qint64 requests = 0;
        for (const auto &[number, letter] : member.letters) {
            if (letter.kind == Letter::Kind::Request) {
                require(letter.hasEnded, "Q11", s("every request ends"), QString::number(number));
                requests += letter.hasArrived ? 0 : 1;
            } else {
                missing += letter.hasArrived ? 0 : letter.count();
            }
        }
        // A request that DropOldest or a refused token discards is counted, too.
        require(member.discarded >= missing && member.discarded <= missing + requests, "Q15",
                QStringLiteral("%1 to %2 discarded").arg(missing).arg(missing + requests),
                QString::number(member.discarded));
    }
    m_provider.reset();
    for (const Member &member : m_members)
        require(member.wire.sockets == 0 && member.wire.alive == 0 && m_world.scheduler.pending() == 0, "O6",
                s("no socket, transport or timer left"), member.type);
}

// ---- Looking ----

void Crowd::require(bool condition, const char *rule, const QString &expected, const QString &seen)
{
    if (!condition && !m_violation)
        m_violation = {m_seed, m_step, s(rule), expected, seen, m_trace};
}

void Crowd::note(const QString &what)
{
    m_did[what.section(u' ', 0, 0)]++;
    m_trace.append(
        QStringLiteral("%1 at %2 ms: %3").arg(m_step).arg(m_world.scheduler.now().count()).arg(what));
    if (m_trace.size() > StepsShown)
        m_trace.removeFirst();
    if (m_prints)
        std::fprintf(stdout, "%s\n", qPrintable(m_trace.constLast()));
}

// Until both sides have heard all that the other has said so far. If the UI blocks, only the wire.
void Crowd::settle()
{
    do {
        for (Member &member : m_members)
            look(member);
        if (m_blocked)
            continue;
        for (Member &member : m_members) {
            m_world.inboxes.at(member.type)
                ->push(0, Notice::Rejected{QStringLiteral("probe %1").arg(++member.probe)});
            while (member.probeHeard < member.probe)
                QCoreApplication::processEvents(QEventLoop::AllEvents);
        }
        QCoreApplication::processEvents(QEventLoop::AllEvents);
    } while (m_world.runWire());
    for (Member &member : m_members) {
        look(member);
        require(m_blocked || member.expected.empty(), "M1",
                QStringLiteral("%1 is heard").arg(member.expected.empty() ? 0 : member.expected.front()),
                s("it is not"));
        require(member.wire.mostSockets <= 1, "O1", s("one socket"),
                QString::number(member.wire.mostSockets));
        require(member.wire.deletedInCall == 0, "O5", s("no transport deleted on the stack"), member.type);
    }
}

void Crowd::hear(Member &member)
{
    Connection *const c = member.connection;
    connect(c, &Connection::messageReceived, this, [this, &member](const Message &message) {
        if (message.type() != s("n"))
            return;
        const int number = message.json().value(s("n")).toInt();
        require(!member.expected.empty() && member.expected.front() == number, "M1 O2",
                QString::number(member.expected.empty() ? 0 : member.expected.front()),
                QString::number(number));
        if (!member.expected.empty())
            member.expected.pop_front();
    });
    connect(c, &Connection::messagesDiscarded, this, [&member](int count) { member.discarded += count; });
    connect(c, &Connection::messageRejected, this, [&member](const QString &reason) {
        if (reason.startsWith(s("probe ")))
            member.probeHeard = reason.mid(6).toInt();
    });
    connect(c, &Connection::stateChanged, this, [this, &member](Connection::State state) {
        note(member.type + s(" is ") + nameOf(static_cast<State>(int(state))));
        const bool isRefused = member.connection->errorCode() == ConnectionError::AuthenticationFailed;
        if (state == Connection::Disconnecting || (state == Connection::Error && isRefused))
            member.usersSeen.clear(); // what is written from now on is the next user's
    });
}

// What was sent since the last look, and what has arrived of it.
void Crowd::look(Member &member)
{
    const QList<FakeTransport::Frame> &sent = member.wire.sent;
    for (; member.framesSeen < sent.size(); ++member.framesSeen) {
        const FakeTransport::Frame &frame = sent.at(member.framesSeen);
        if (!frame.isSecret) {
            see(member, letterIn(frame), frame);
            continue;
        }
        const QString token = QJsonDocument::fromJson(frame.bytes).object().value(s("token")).toString();
        require(member.refused.count(token) == 0, "A3", s("no token twice"), token);
        member.unanswered[frame.socket] = token;
        member.userOf[frame.socket] = m_users[token];
        member.usersSeen.insert(m_users[token]);
    }
    for (auto it = member.underWay.begin(); it != member.underWay.end();) {
        const bool isTaken = it->second.end <= member.wire.taken.value(it->second.socket);
        if (isTaken)
            arrive(member, it->first, it->second);
        it = isTaken ? member.underWay.erase(it) : std::next(it);
    }
}

void Crowd::see(Member &member, int number, const FakeTransport::Frame &frame)
{
    const auto found = member.letters.find(number);
    if (found == member.letters.end()) {
        require(false, "Q1", s("a message of the app"), QString::fromUtf8(frame.bytes.left(40)));
        return;
    }
    const Letter &letter = found->second;
    require(!letter.hasArrived, "Q15", QStringLiteral("%1 is sent once").arg(number), s("twice"));
    require(!letter.hasEnded, "Q11", QStringLiteral("%1 is withdrawn").arg(number), s("sent"));
    require(!letter.isUsersOnly || member.userOf[frame.socket] == letter.user, "A3 Q8",
            QStringLiteral("%1 is sent as user %2").arg(number).arg(letter.user),
            QString::number(member.userOf[frame.socket]));
    require(member.authenticated.count(frame.socket) > 0, "A1", s("auth_success before messages"),
            QString::number(number));
    member.underWay.emplace_back(number, frame);
}

void Crowd::arrive(Member &member, int number, const FakeTransport::Frame &frame)
{
    Letter &letter = member.letters.at(number);
    if (letter.kind == Letter::Kind::Pair && !frame.isBinary)
        return; // without its other half it is sent once more
    require(!letter.hasArrived && number > member.lastArrived, "Q4 Q15",
            QStringLiteral("what was accepted after %1").arg(member.lastArrived), QString::number(number));
    letter.hasArrived = true;
    member.lastArrived = number;
}

// After signOut() nothing of the user may leave any more.
void Crowd::lookAtSignOut()
{
    for (Member &member : m_members) {
        look(member);
        for (const FakeTransport *transport : member.wire.living) {
            const bool waits =
                std::any_of(member.underWay.begin(), member.underWay.end(),
                            [&](const auto &frame) { return frame.second.socket == transport->number(); });
            require(!transport->hasSocket() || !waits, "Q8", s("nothing on its way"), member.type);
        }
    }
}

} // namespace Chaos
