// SPDX-License-Identifier: MIT
//
// What a run does. How it is looked at is in run.cpp.
#include "run.h"

#include <QCoreApplication>
#include <QJsonDocument>

#include <iterator>

using namespace Everwire;

namespace Chaos {

namespace {

const auto Type = QStringLiteral("chaos");

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

ConnectionConfig toConfig(const Settings &settings)
{
    using std::chrono::milliseconds;
    const ConnectionConfig::Heartbeat heartbeat[] = {ConnectionConfig::Heartbeat::Ping,
                                                     ConnectionConfig::Heartbeat::Message,
                                                     ConnectionConfig::Heartbeat::Off};
    ConnectionConfig config;
    config.setUrl(s("wss://server.example/stream"))
        .setAuthentication(settings.authenticates ? ConnectionConfig::Authentication::FirstMessage
                                                  : ConnectionConfig::Authentication::None)
        .setAutoReconnect(settings.autoReconnect)
        .setMaxReconnectAttempts(settings.maxReconnectAttempts)
        .setInitialReconnectDelay(milliseconds(settings.initialReconnectDelay))
        .setMaxReconnectDelay(milliseconds(settings.maxReconnectDelay))
        .setReconnectJitter(settings.jitter)
        .setTerminalCloseCodes(settings.terminalCloseCodes)
        .setMaxQueuedMessages(settings.maxQueuedMessages)
        .setMaxQueuedBytes(settings.maxQueuedBytes)
        .setQueueOverflow(settings.dropsOldest ? ConnectionConfig::QueueOverflow::DropOldest
                                               : ConnectionConfig::QueueOverflow::Reject)
        .setMaxMessageSize(settings.maxMessageSize)
        .setBinarySupported(settings.binarySupported)
        .setHeartbeat(heartbeat[settings.heartbeat])
        .setLinger(milliseconds(settings.linger))
        .setHistoryLimit(20);
    return config;
}

} // namespace

Run::Run(quint64 seed, bool prints) : Chance(seed), m_seed(seed), m_prints(prints)
{
    m_settings.authenticates = !oneIn(4);
    m_settings = someSettings();
    m_model = std::make_unique<Model>(m_settings);
    m_provider = std::make_unique<WebSocketProvider>();
    m_provider->setNetworkMonitor(&m_monitor);
    useTokens();
    m_provider->configure(Type, toConfig(m_settings));
    m_connection = m_provider->connection(Type);
    m_world.wire.canPause = true;
    listen();
}

Run::~Run()
{
    m_handles.clear();
    m_subscribers.clear();
    m_provider.reset(); // while there are those who listen to it
}

void Run::useTokens()
{
    auto next = std::make_unique<Tokens>();
    next->onFetch = [this, provider = next.get()](const TokenRequest &request) {
        m_answered = std::min(m_answered, m_asked.size());
        m_asked.push_back({request, provider});
    };
    m_provider->setTokenProvider(next.get());
    m_tokens = std::move(next); // ends the one before
}

Settings Run::someSettings()
{
    Settings settings = m_settings; // whether it authenticates stays
    settings.autoReconnect = !oneIn(8);
    settings.maxReconnectAttempts = oneOf({-1, 0, 2, 5, 10});
    settings.initialReconnectDelay = oneOf({1000, 200});
    settings.maxReconnectDelay = oneOf({30000, 5000});
    settings.jitter = oneOf({0.0, 0.25, 0.5});
    settings.terminalCloseCodes = oneIn(3) ? QList<int>{4003, 1011} : QList<int>();
    settings.maxQueuedMessages = oneOf({0, 3, 10, 100});
    settings.maxQueuedBytes = oneOf({qint64(400), qint64(2) << 20, qint64(16) << 20});
    settings.dropsOldest = oneIn(2);
    settings.maxMessageSize = oneOf({qint64(120), qint64(512) << 10});
    settings.binarySupported = !oneIn(4);
    settings.heartbeat = oneOf({Settings::Ping, Settings::Ping, Settings::Message, Settings::Off});
    settings.linger = oneOf({0, 1000, 7000});
    return settings;
}

std::optional<Violation> Run::go(int steps)
{
    for (m_step = 1; m_step <= steps && !m_violation; ++m_step)
        step();
    if (!m_violation)
        finish();
    return m_violation;
}

void Run::finish()
{
    const bool abrupt = oneIn(4);
    note(abrupt ? s("the application ends") : s("close, and the end"));
    for (int i = 0; !abrupt && i < 2; ++i) { // a handler may open it again
        m_connection->close();
        m_model->close();
        settle();
        advance(3000);
        advance(3000); // messages of an earlier connection are waited for first
    }
    compareEnd(abrupt);
}

void Run::step()
{
    const double chance = below(16) / 16.0;
    m_world.random = chance;
    m_model->setChance(chance);
    const int kind = below(100);
    if (kind < 25)
        helpOn();
    else if (kind < 55)
        actApp();
    else if (kind < 82)
        actNetwork();
    else if (kind < 94)
        letTimePass(oneOf<qint64>({0, 1, 50, 700, 999, 3000, 4999, 5000, 10000, 26000}));
    else if (kind < 97)
        blockApp();
    else
        burst();
    settle();
    compare();
}

// What brings it closer to Connected.
void Run::helpOn()
{
    if (m_model->wantsToken() || m_asked.size() > m_answered) {
        answerToken();
    } else if (m_model->isOpening()) {
        note(s("opened"));
        m_world.wire.current->connectTo();
        m_model->opened();
    } else if (m_model->isAuthenticating()) {
        note(s("auth_success"));
        m_world.wire.current->receive(QByteArray(R"({"type":"auth_success","session_id":"s-1"})"));
        m_model->authenticated();
    } else if (!m_model->isOpen()) {
        note(s("open"));
        m_connection->open();
        m_model->open();
    } else {
        send();
    }
}

// ---- The app ----

void Run::actApp()
{
    switch (below(22)) {
    case 0:
    case 1:
        note(s("open"));
        m_connection->open();
        m_model->open();
        return;
    case 2:
        note(s("close"));
        m_connection->close();
        m_model->close();
        return;
    case 3:
        note(s("reconnect"));
        m_connection->reconnect();
        m_model->reconnect();
        return;
    case 4:
        note(s("configure"));
        m_settings = someSettings();
        m_provider->configure(Type, toConfig(m_settings));
        m_model->configure(m_settings);
        return;
    case 5:
        note(s("wake after suspend"));
        Q_EMIT m_monitor.networkBack();
        m_model->networkBack();
        return;
    case 6: return changeUser();
    case 7:
    case 8: return changeHandles();
    case 9:
    case 10:
    case 11: return changeSubscribers();
    case 12: return arm();
    default: return send();
    }
}

void Run::send()
{
    const int number = ++m_number;
    const QString name = QStringLiteral("o%1").arg(number);
    const bool big = m_settings.maxMessageSize > 1000 && oneIn(12);
    const QByteArray body = name.toLatin1() + QByteArray(big ? 300'000 : below(150), '.');
    Parcel parcel{name, body.size(), -1, false};
    QByteArray json = R"({"n":)" + QByteArray::number(number) + R"(,"type":"out"})";
    const QJsonObject object{{s("n"), number}, {s("type"), s("out")}};
    bool accepted = false;
    const int kind = below(5);
    switch (kind) {
    case 0:
        note(s("send text ") + name);
        m_names.insert(body, name);
        accepted = m_connection->send(QString::fromLatin1(body));
        break;
    case 1:
        note(s("send binary ") + name);
        m_names.insert(body, name);
        parcel.isBinary = true;
        accepted = m_connection->send(body);
        break;
    case 2:
        note(s("send json ") + name);
        m_names.insert(json, name);
        parcel.bytes = json.size();
        accepted = m_connection->sendJson(object);
        break;
    case 3:
        note(s("send pair ") + name);
        m_names.insert(json, name);
        m_names.insert(body, name + s("+"));
        parcel.bytes = json.size();
        parcel.attached = body.size();
        accepted = m_connection->sendJson(object, body);
        break;
    default:
        note(s("send json without a type"));
        require(!m_connection->sendJson({{s("n"), number}}), "Q5", s("refused"), s("accepted"));
        m_model->rejected();
        return;
    }
    const bool expected = m_model->push(parcel);
    require(accepted == expected, "Q1 Q2 Q3 Q6", expected ? s("accepted") : s("refused"),
            accepted ? s("accepted") : s("refused"));
}

void Run::changeSubscribers()
{
    if (m_subscribers.empty() || (m_subscribers.size() < 6 && oneIn(2))) {
        const int number = ++m_number;
        const QString event =
            oneOf({s("n"), s("m"), s("*"), s("message"), s("binaryMessage"), s("parseError"),
                   s("stateChange"), s("connected"), s("disconnected"), s("error"), s("connectionError"),
                   s("reconnecting"), s("authenticationError"), s("maxReconnectAttemptsReached")});
        note(QStringLiteral("subscribe %1 to %2").arg(number).arg(event));
        Subscriber &subscriber = m_subscribers[number];
        subscriber.context = std::make_unique<QObject>();
        const QString channel = QStringLiteral("subscriber %1 of %2").arg(number).arg(event);
        subscriber.subscription = m_connection->subscribe(
            event, subscriber.context.get(), [this, channel](const Message &) { hear(channel, s("it")); });
        m_model->subscribe(number, event);
        return;
    }
    const auto which = std::next(m_subscribers.begin(), below(int(m_subscribers.size())));
    const bool byContext = oneIn(2);
    note(QStringLiteral("%1 %2")
             .arg(byContext ? s("delete the context of") : s("unsubscribe"))
             .arg(which->first));
    m_model->unsubscribe(which->first);
    if (!byContext)
        which->second.subscription.unsubscribe();
    m_subscribers.erase(which);
}

void Run::changeHandles()
{
    if (m_handles.empty() || oneIn(2)) {
        const int number = ++m_number;
        note(QStringLiteral("handle %1 opens").arg(number));
        auto &handle = m_handles[number];
        handle = std::make_unique<ConnectionHandle>(Type, m_provider.get());
        handle->open();
        m_model->takeHandle(number);
        return;
    }
    const auto which = std::next(m_handles.begin(), below(int(m_handles.size())));
    note(QStringLiteral("handle %1 goes").arg(which->first));
    m_model->releaseHandle(which->first);
    m_handles.erase(which);
}

void Run::changeUser()
{
    if (oneIn(2)) {
        note(s("user signs in"));
        ++m_user;
        m_provider->signIn();
        m_model->signIn();
        return;
    }
    const bool waits = m_asked.size() > m_answered && m_asked.back().provider == m_tokens.get();
    if (m_inBurst && waits)
        return; // what comes of it depends on what else there is in the burst
    note(s("another token provider"));
    useTokens();
    if (waits) {
        m_answered = m_asked.size();
        m_model->tokenFailed();
    }
}

// What a handler does with the next message, from inside (rule O5).
void Run::arm()
{
    note(s("arm a handler"));
    switch (below(3)) {
    case 0:
        m_armed = [this] { m_connection->close(); };
        m_model->onNextMessage([this] { m_model->close(); });
        return;
    case 1:
        m_armed = [this] { m_connection->reconnect(); };
        m_model->onNextMessage([this] { m_model->reconnect(); });
        return;
    default: break;
    }
    const QByteArray body = "r" + QByteArray::number(++m_number);
    m_names.insert(body, QString::fromLatin1(body));
    m_armed = [this, body] { m_connection->send(QString::fromLatin1(body)); };
    m_model->onNextMessage([this, body] {
        m_model->push({QString::fromLatin1(body), body.size(), -1, false});
    });
}

// The app's thread stands still: the wire's does not (rule H2). Behind it the app may speak before it listens.
void Run::blockApp()
{
    note(s("the UI blocks"));
    m_blocked = true;
    for (int i = 1 + below(6); i > 0; --i) {
        if (oneIn(3))
            letTimePass(oneOf<qint64>({10, 1000, 5000, 10000}));
        else
            actNetwork();
        settle();
        compare();
    }
    m_blocked = false;
    note(s("the UI goes on"));
    if (oneIn(2)) {
        m_inBurst = true;
        actApp();
        m_inBurst = false;
    }
}

// The wire's thread hears of several calls at once.
void Run::burst()
{
    note(s("a burst"));
    m_inBurst = true;
    for (int i = 2 + below(4); i > 0; --i)
        actApp();
    m_inBurst = false;
}

// ---- The token provider ----

void Run::answerToken()
{
    if (m_asked.size() <= m_answered || m_blocked) {
        note(s("nobody asks for a token"));
        return;
    }
    const TokenRequest request = m_asked.back().request;
    m_answered = m_asked.size();
    const int kind = below(12);
    if (kind == 0) {
        note(s("token: failed"));
        request.reject(s("no"));
        m_model->tokenFailed();
    } else if (kind == 1) {
        note(s("token: none"));
        request.resolveNone();
        m_model->noToken();
    } else if (kind == 2) {
        note(s("token: with a line end"));
        request.resolve(s("secret-\n"));
        m_model->invalidToken();
    } else {
        const bool old = kind == 3 && !m_oldTokens.isEmpty();
        const QString token = old ? m_oldTokens.at(below(int(m_oldTokens.size())))
                                  : QStringLiteral("secret-u%1-%2").arg(m_user).arg(++m_tokenNumber);
        note(QStringLiteral("token: %1").arg(token));
        m_oldTokens.append(token);
        if (m_oldTokens.size() > 8)
            m_oldTokens.removeFirst();
        request.resolve(token);
        m_model->token(token);
    }
}

// Of a request that has been answered or abandoned: nothing comes of it.
void Run::answerLate()
{
    if (m_asked.size() < 2 || m_blocked)
        return;
    note(s("token: late"));
    m_asked.at(size_t(below(int(m_asked.size()) - 1))).request.resolve(s("secret-late"));
}

// ---- The network ----

void Run::actNetwork()
{
    FakeTransport *const transport = m_world.wire.current;
    const int kind = below(20);
    if (kind == 0)
        return answerLate();
    if (kind == 1 && !m_blocked && m_model->wantsToken())
        return answerToken();
    if (kind == 2 && m_settings.heartbeat != Settings::Message && m_world.wire.takesBytes) {
        note(s("peer stops reading"));
        m_world.wire.takesBytes = false;
        m_model->stopTaking();
        return;
    }
    if (!transport || !m_model->hasSocket())
        return;
    if (kind < 5 && !m_world.wire.takesBytes) {
        const qint64 some = 1 + below(400);
        const bool all = oneIn(3);
        note(all ? s("peer reads again") : QStringLiteral("peer reads %1 bytes").arg(some));
        m_world.wire.takesBytes = m_world.wire.takesBytes || all;
        all ? m_model->takeAll() : m_model->take(some);
        transport->take(all ? transport->bytesToWrite() : some);
        return;
    }
    if (kind < 14 && m_model->isOpening()) {
        note(s("opened"));
        transport->connectTo();
        m_model->opened();
    } else if (kind < 10 && m_model->isAuthenticating()) {
        note(s("auth_success"));
        transport->receive(QByteArray(R"({"type":"auth_success","session_id":"s-1"})"));
        m_model->authenticated();
    } else if (kind < 12 && m_model->isAuthenticating()) {
        note(s("auth_error"));
        const QByteArray quoted = m_oldTokens.isEmpty() ? QByteArray() : m_oldTokens.constLast().toUtf8();
        transport->receive(oneIn(2) ? R"({"type":"auth_error","error":"bad )" + quoted + R"("})"
                                    : R"({"type":"error","payload":{"error":"bad","code":"auth_failed"}})");
        m_model->refusedToken();
    } else if (kind < 7) {
        note(s("alive"));
        transport->showLife();
        m_model->alive();
    } else if (kind < 18 && !m_model->isOpening()) {
        receive();
    } else {
        end();
    }
}

void Run::receive()
{
    FakeTransport *const transport = m_world.wire.current;
    const QByteArray number = QByteArray::number(++m_number);
    const auto text = [&](const QByteArray &utf8, const char *type) {
        note(s("received ") + QString::fromUtf8(utf8));
        transport->receive(utf8);
        m_model->received(QString::fromUtf8(utf8), s(type));
    };
    const auto rubbish = [&](const QByteArray &bytes) {
        note(s("rubbish ") + QString::fromUtf8(bytes.left(40)));
        transport->receive(bytes);
        m_model->receivedRubbish(QString::fromUtf8(bytes).left(40));
    };
    switch (below(12)) {
    case 0:
    case 1:
    case 2: return text(R"({"type":"n","n":)" + number + '}', "n");
    case 3: return text(R"({"type":"m","n":)" + number + '}', "m");
    case 4: return text('[' + number + ']', "");
    case 5: return text(R"({"type":5,"n":)" + number + '}', "");
    case 6: return text(R"({"type":"n","n":1)" + QByteArray(60, '0') + number + '}', "n");
    case 7: {
        const char *const name = oneOf({"connected", "stateChange", "parseError", "message", "reconnecting"});
        return text(R"({"n":)" + number + R"(,"type":")" + name + R"("})", name);
    }
    case 8: return rubbish(QByteArray(3000, '['));
    case 9: return rubbish(oneOf({"", "{\"type\":", "nonsense", "{}{}", "\xff\xfe"}));
    default: break;
    }
    note(s("binary b") + QString::fromLatin1(number));
    transport->receiveBinary("b" + number);
    m_model->receivedBinary(s("b") + QString::fromLatin1(number));
}

void Run::end()
{
    struct End
    {
        const char *name;
        ConnectionError::Code code;
        Failure failure;
    };
    static const std::vector<End> beforeOpen{
        {"refused", ConnectionError::ConnectionRefused, {s("ConnectionRefused"), 0, false, true, 0}},
        {"host not found", ConnectionError::HostNotFound, {s("HostNotFound"), 0, false, true, 0}},
        {"503, Retry-After 5",
         ConnectionError::HandshakeFailed,
         {s("HandshakeFailed"), 0, false, false, 5000}},
        {"TLS failed", ConnectionError::TlsFailed, {s("TlsFailed"), 0, true, true, 0}}};
    static const int codes[] = {1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012,
                                1013, 1014, 3000, 4000, 4001, 4002, 4003, 4401, 4403, 4999};
    static const int verdicts[] = {1002, 1007, 1009};
    End how{"lost", ConnectionError::ConnectionLost, {s("ConnectionLost"), 1006, false, true, 0}};
    if (m_model->isOpening()) {
        how = beforeOpen.at(size_t(below(int(beforeOpen.size()))));
    } else if (oneIn(2)) {
        const int code = codes[below(int(std::size(codes)))];
        how = {"Close frame", ConnectionError::ClosedByServer, {s("ClosedByServer"), code, false, false, 0}};
    } else if (oneIn(4)) {
        const int code = verdicts[below(int(std::size(verdicts)))];
        how = {
            "violation", ConnectionError::ProtocolViolation, {s("ProtocolViolation"), code, false, false, 0}};
    }
    note(QStringLiteral("end %1 %2").arg(s(how.name)).arg(how.failure.closeCode));
    m_world.wire.current->end(how.code, how.failure.closeCode, s("bye"),
                              std::chrono::milliseconds(how.failure.retryAfter), how.failure.isFinal);
    m_model->ended(how.failure);
}

void Run::letTimePass(qint64 by)
{
    const std::optional<qint64> next = m_model->nextDue();
    if (next && oneIn(2))
        by = std::max<qint64>(0, *next - m_now - below(2));
    note(QStringLiteral("wait %1 ms").arg(by));
    advance(by);
}

} // namespace Chaos
