// SPDX-License-Identifier: MIT
//
// The wire's half of the model: attempts, time, the socket. The app's half is in modelapp.cpp.
#include "model.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace Chaos {

namespace {

constexpr qint64 StableAfter = 5000;
constexpr qint64 ConnectTimeout = 10000;
constexpr qint64 TokenTimeout = 10000;
constexpr qint64 AuthTimeout = 5000;
constexpr qint64 CloseTimeout = 3000;
constexpr qint64 ControlFrame = 6; // bytes
constexpr qint64 PingInterval = 25000;
constexpr qint64 PongTimeout = 10000;
constexpr qint64 SocketHolds = 1024 * 1024; // before messages wait in the queue instead (rule Q7)

bool isFinalCode(int code) // rule R6
{
    return QList<int>{1002, 1003, 1007, 1008, 1009, 1010}.contains(code);
}

bool refusesTheToken(int code) // rule A3
{
    return QList<int>{4001, 4401, 4403}.contains(code);
}

} // namespace

QString nameOf(State state)
{
    static const char *const names[] = {"disconnected", "connecting",    "authenticating", "connected",
                                        "reconnecting", "disconnecting", "error"};
    return QString::fromLatin1(names[int(state)]);
}

State Model::wireState() const
{
    switch (m_phase) {
    case Phase::Idle: return State::Disconnected;
    case Phase::Failed: return State::Error;
    case Phase::Fetching:
    case Phase::Opening: return State::Connecting;
    case Phase::Authenticating: return State::Authenticating;
    case Phase::Open: return State::Connected;
    case Phase::Waiting: return State::Reconnecting;
    case Phase::Closing: break;
    }
    return State::Disconnecting;
}

bool Model::isLinked() const
{
    return m_phase == Phase::Opening || m_phase == Phase::Authenticating || m_phase == Phase::Open ||
           m_phase == Phase::Closing;
}

// ---- Time ----

void Model::schedule(Due due, qint64 delay)
{
    m_due[due] = {m_now + delay, ++m_order};
}

std::optional<qint64> Model::nextDue() const
{
    std::optional<qint64> next;
    for (const auto &[due, when] : m_due)
        next = std::min(next.value_or(when.first), when.first);
    return next;
}

void Model::advanceTo(qint64 time)
{
    m_now = time;
    for (;;) {
        auto first = m_due.end();
        for (auto it = m_due.begin(); it != m_due.end(); ++it) {
            if (it->second.first <= m_now && (first == m_due.end() || it->second < first->second))
                first = it;
        }
        if (first == m_due.end())
            return;
        const Due due = first->first;
        m_due.erase(first);
        fire(due);
    }
}

void Model::fire(Due due)
{
    switch (due) {
    case Due::Linger: closeNow(); return;    // rule O7
    case Due::Stable: m_attempt = 0; return; // rule R4
    case Due::Ping: ask(); return;
    case Due::Parting: partingIsOver(); return;
    case Due::Pong: fail({QStringLiteral("HeartbeatTimeout"), 1006, false, true, 0}); return; // rule H1
    case Due::Phase: break;
    }
    switch (m_phase) {
    case Phase::Fetching: fail({QStringLiteral("TokenTimeout"), 0, false, true, 0}); return; // R9
    case Phase::Opening: fail({QStringLiteral("ConnectTimeout"), 0, false, true, 0}); return;
    case Phase::Authenticating: // A2
        fail({QStringLiteral("AuthenticationTimeout"), 4002, false, false, 0}, 4002);
        return;
    case Phase::Waiting:
        m_attemptIsFree = std::exchange(m_wasHinted, false);
        begin();
        return;
    case Phase::Closing: // O3
        leaveSocket(0);
        finishClosing();
        return;
    default: return;
    }
}

// Any traffic is life (rule H1).
void Model::sign()
{
    if (m_phase != Phase::Open)
        return;
    m_lastSign = m_now;
    if (m_settings.heartbeat == Settings::Off)
        return;
    m_due.erase(Due::Pong);
    m_asked = false;
    schedule(Due::Ping, PingInterval);
}

void Model::ask()
{
    m_asked = true;
    m_due.erase(Due::Ping);
    schedule(Due::Pong, PongTimeout);
    if (m_settings.heartbeat == Settings::Message) {
        heard[QStringLiteral("wire")].append(QStringLiteral("%1 heartbeat").arg(m_socket));
        write(15, {}, true); // {"type":"ping"}
    } else {
        heard[QStringLiteral("pings")].append(QStringLiteral("ping"));
        write(ControlFrame, {}, true);
    }
}

// ---- What the app says, once the wire hears of it ----

bool Model::runWire()
{
    const bool any = !m_commands.empty();
    while (!m_commands.empty()) {
        const auto command = std::move(m_commands.front());
        m_commands.pop_front();
        command();
    }
    if (any || !m_queue.empty()) // the engine is woken
        pump();
    return any;
}

void Model::afresh()
{
    m_attempt = 0;
    m_refusedByClosing = 0;
    begin();
}

void Model::begin()
{
    if (m_next)
        m_settings = *m_next;
    m_next.reset();
    m_draining = false;
    Report report;
    report.to = State::Connecting;
    report.attempt = m_attempt;
    report.closeCode = m_phase == Phase::Open ? 1000 : 0;
    if (m_settings.authenticates) {
        m_isFresh = m_needsFresh;
        go(Phase::Fetching, report);
        schedule(Due::Phase, TokenTimeout);
    } else {
        go(Phase::Opening, report);
        openSocket();
    }
}

void Model::openSocket()
{
    m_phase = Phase::Opening;
    m_socket = ++m_sockets;
    m_onWire.clear();
    m_inSocket = 0;
    m_hasSent = false;
    m_backlog = 0;
    schedule(Due::Phase, ConnectTimeout);
}

void Model::token(const QString &token)
{
    if (m_phase != Phase::Fetching)
        return;
    if (m_refused.count(token) > 0 && !m_isFresh) { // from a cache, perhaps
        m_isFresh = true;
        schedule(Due::Phase, TokenTimeout);
        return;
    }
    if (m_refused.count(token) > 0) { // never sent twice (rule A3)
        fail({QStringLiteral("AuthenticationFailed"), 4001, true, false, 0});
        return;
    }
    m_token = token;
    m_needsFresh = false;
    openSocket();
}

void Model::noToken()
{
    if (m_phase == Phase::Fetching)
        fail({QStringLiteral("NoToken"), 0, true, false, 0});
}

void Model::tokenFailed()
{
    if (m_phase == Phase::Fetching)
        fail({QStringLiteral("TokenFailed"), 0, false, true, 0});
}

void Model::invalidToken()
{
    if (m_phase == Phase::Fetching)
        fail({QStringLiteral("InvalidToken"), 0, true, false, 0});
}

// ---- The network ----

void Model::opened()
{
    if (m_phase != Phase::Opening)
        return;
    if (!m_settings.authenticates) {
        establish();
        return;
    }
    Report report;
    report.to = State::Authenticating;
    report.attempt = m_attempt;
    go(Phase::Authenticating, report);
    schedule(Due::Phase, AuthTimeout);
    heard[QStringLiteral("tokens")].append(QStringLiteral("%1 %2").arg(m_socket).arg(m_token));
    write(26 + m_token.size(), {}, true); // {"token":"…","type":"auth"}
}

void Model::establish()
{
    Report report;
    report.to = State::Connected;
    go(Phase::Open, report);
    schedule(Due::Stable, StableAfter);
    m_attemptIsFree = false;
    m_refusedByClosing = 0;
    m_asked = false;
    sign();
    pump();
}

void Model::authenticated()
{
    if (m_phase == Phase::Authenticating)
        establish();
    else
        received(QStringLiteral("auth_success"), QStringLiteral("auth_success"));
}

void Model::refusedToken()
{
    if (m_phase == Phase::Authenticating)
        refuse(4001);
    else
        received(QStringLiteral("auth_error"), QStringLiteral("auth_error"));
}

void Model::refuse(int closeCode, bool isFinal) // rule A3
{
    m_refused.insert(m_token);
    m_needsFresh = true;
    fail({QStringLiteral("AuthenticationFailed"), closeCode, isFinal, false, 0}, closeCode);
}

void Model::received(const QString &name, const QString &type)
{
    sign();
    Report report;
    report.kind = Report::Text;
    report.name = name;
    report.type = type;
    if (m_phase == Phase::Open)
        tell(report);
}

void Model::receivedRubbish(const QString &name)
{
    sign();
    Report report;
    report.kind = Report::Rubbish;
    report.name = name;
    if (m_phase == Phase::Open)
        tell(report);
}

void Model::receivedBinary(const QString &name)
{
    sign();
    Report report;
    report.kind = Report::Binary;
    report.name = name;
    if (m_phase == Phase::Open)
        tell(report);
}

void Model::alive()
{
    sign();
}

void Model::ended(const Failure &failure)
{
    if (!isLinked())
        return;
    if (m_phase == Phase::Closing) {
        leaveSocket(0);
        finishClosing();
        return;
    }
    const bool isOurs = failure.code == QStringLiteral("ProtocolViolation");
    const bool refuses = !isOurs && refusesTheToken(failure.closeCode);
    if (m_phase == Phase::Authenticating && (refuses || (!isOurs && failure.closeCode == 1008))) {
        refuse(failure.closeCode, m_refusedByClosing++ > 0);
        return;
    }
    m_needsFresh = m_needsFresh || refuses;
    Failure known = failure;
    if (m_phase == Phase::Authenticating && failure.closeCode == 4002) {
        known.code = QStringLiteral("AuthenticationTimeout");
        known.isTheNetworks = false;
    }
    if (m_phase == Phase::Authenticating)
        known.retryAfter = 0;
    fail(known);
}

// ---- An end ----

qint64 Model::delayFor(int attempt, qint64 asked) const // rules R1, R2
{
    double base = double(m_settings.initialReconnectDelay);
    for (int i = 1; i < attempt && base < double(m_settings.maxReconnectDelay); ++i)
        base *= 2;
    base = std::min(base, double(m_settings.maxReconnectDelay));
    const double jittered = base * (1 + m_settings.jitter * (2 * m_chance - 1));
    const double most = std::min(jittered, double(m_settings.maxReconnectDelay));
    return std::llround(std::max(most, double(asked) * (1 + m_settings.jitter * m_chance)));
}

bool Model::retries(const Failure &failure) const // rule R6
{
    const bool isOurs = failure.code == QStringLiteral("ProtocolViolation") && failure.closeCode != 1009;
    const bool isTheTokens = failure.code == QStringLiteral("AuthenticationFailed");
    return !failure.isFinal && m_settings.autoReconnect &&
           (isOurs || isTheTokens || !isFinalCode(failure.closeCode)) &&
           !m_settings.terminalCloseCodes.contains(failure.closeCode);
}

void Model::fail(const Failure &failure, int farewell)
{
    leaveSocket(farewell);
    Report report;
    report.failure = failure;
    report.closeCode = failure.closeCode;
    const bool retries = this->retries(failure);
    const int most = m_settings.maxReconnectAttempts;
    if (m_attempt == 0)
        m_freeAttempts = 0;
    else if (m_attemptIsFree)
        ++m_freeAttempts;
    m_attemptIsFree = false;
    const int counted = m_attempt + 1 - m_freeAttempts;
    if (retries && (most < 0 || counted <= most)) {
        ++m_attempt;
        m_notBefore = m_now + failure.retryAfter;
        report.to = State::Reconnecting;
        report.attempt = m_attempt;
        report.delay = delayFor(counted, failure.retryAfter);
        m_wasHinted = false;
        go(Phase::Waiting, report);
        schedule(Due::Phase, report.delay);
        return;
    }
    if (retries)
        report.gaveUpAfter = counted - 1;
    report.to = State::Error;
    report.failure->isFinal = true;
    m_gaveUpForTheNetwork = retries && failure.isTheNetworks;
    if (failure.code == QStringLiteral("AuthenticationFailed")) { // rule A3
        discardQueue();
        if (m_parting)
            m_parting->isOfFormerUser = true;
    }
    go(Phase::Failed, report);
}

// farewell: the code of the Close frame; 0: none, as the connection is lost.
void Model::leaveSocket(int farewell)
{
    m_draining = false;
    if (!isLinked())
        return;
    if (farewell != 0) {
        part(farewell);
    } else {
        keepUnsent();
    }
    m_socket = 0;
}

// What was sent leaves first. A goodbye on which nothing depends ends the one before it.
void Model::part(int closeCode)
{
    heard[QStringLiteral("closes")].append(QString::number(closeCode));
    write(ControlFrame, {}, true);
    m_inSocket = 0;
    if (mustWait()) // so nothing of the app's was sent on this one
        return;
    m_parting = Parting{std::exchange(m_onWire, {}), m_hasSent};
    schedule(Due::Parting, CloseTimeout);
}

void Model::forgetGoodbye()
{
    if (mustWait())
        return;
    m_parting.reset();
    m_due.erase(Due::Parting);
}

// What has not left by then never does there.
void Model::partingIsOver()
{
    if (!m_parting)
        return;
    int lost = 0;
    for (auto it = m_parting->onWire.rbegin(); it != m_parting->onWire.rend(); ++it) {
        if (m_parting->isOfFormerUser && !it->isOurs)
            lost += it->parcel.count();
        else if (!it->isOurs)
            m_queue.push_front(it->parcel);
    }
    discarded(lost);
    m_parting.reset();
    m_due.erase(Due::Parting);
    continueClosing();
    pump();
}

void Model::startClosing() // rules O3, Q8
{
    Report report;
    report.to = State::Disconnecting;
    m_draining = false;
    m_saidClose = false;
    go(Phase::Closing, report);
    continueClosing();
}

void Model::continueClosing()
{
    if (m_phase != Phase::Closing || mustWait())
        return;
    if (m_socket == 0 || m_saidClose) {
        finishClosing();
        return;
    }
    while (!m_queue.empty()) {
        const Parcel next = m_queue.front();
        m_queue.pop_front();
        put(next);
    }
    forgetGoodbye();
    sayClose();
}

void Model::sayClose()
{
    m_saidClose = true;
    heard[QStringLiteral("closes")].append(QStringLiteral("1000"));
    write(ControlFrame, {}, true);
    schedule(Due::Phase, CloseTimeout);
}

void Model::finishClosing()
{
    if (m_phase != Phase::Closing || m_parting || m_socket != 0)
        return;
    discardQueue();
    Report report;
    report.to = State::Disconnected;
    report.closeCode = 1000;
    go(Phase::Idle, report);
}

// Of what the system has not taken every byte, nothing has arrived: it is sent again, and first.
void Model::keepUnsent()
{
    for (auto it = m_onWire.rbegin(); it != m_onWire.rend(); ++it) {
        if (!it->isOurs)
            m_queue.push_front(it->parcel);
    }
    m_onWire.clear();
    m_inSocket = 0;
}

void Model::discardQueue()
{
    discarded(queued());
    m_queue.clear();
}

void Model::discarded(int count)
{
    if (count == 0)
        return;
    m_discardedCount += count;
    Report report;
    report.kind = Report::Discarded;
    report.count = count;
    tell(report);
}

int Model::queued() const
{
    int count = 0;
    for (const Parcel &parcel : m_queue)
        count += parcel.count();
    return count;
}

void Model::go(Phase phase, Report report)
{
    for (const Due due : {Due::Phase, Due::Stable, Due::Ping, Due::Pong})
        m_due.erase(due);
    m_phase = phase;
    tell(std::move(report));
}

void Model::tell(Report report)
{
    report.round = m_wireRound;
    m_reports.push_back(std::move(report));
}

// ---- The socket ----

void Model::pump()
{
    if (m_phase != Phase::Open || mustWait())
        return;
    m_draining = true;
    while (!m_queue.empty()) {
        if (m_inSocket >= SocketHolds)
            break;
        const Parcel next = m_queue.front();
        m_queue.pop_front();
        put(next);
    }
    m_draining = m_inSocket < SocketHolds;
    m_backlog = m_inSocket;
}

void Model::put(const Parcel &parcel)
{
    m_hasSent = true;
    heard[QStringLiteral("wire")].append(QStringLiteral("%1 %2").arg(m_socket).arg(parcel.name));
    if (parcel.attached >= 0)
        heard[QStringLiteral("wire")].append(QStringLiteral("%1 %2+").arg(m_socket).arg(parcel.name));
    write(parcel.size(), parcel, false);
}

void Model::write(qint64 bytes, const Parcel &parcel, bool isOurs)
{
    if (m_takes) {
        m_takenCount += isOurs ? 0 : parcel.count();
        return;
    }
    m_onWire.push_back({parcel, bytes, isOurs});
    m_inSocket += bytes;
}

void Model::take(qint64 bytes)
{
    if (!isLinked())
        return;
    m_inSocket -= std::min(bytes, m_inSocket);
    // Of what waited behind a peer that does not read; that a ping leaves is no life.
    if (m_inSocket < std::exchange(m_backlog, m_inSocket))
        sign();
    while (!m_onWire.empty()) {
        OnWire &first = m_onWire.front();
        const qint64 part = std::min(bytes, first.left);
        first.left -= part;
        bytes -= part;
        if (first.left > 0)
            break;
        m_takenCount += first.isOurs ? 0 : first.parcel.count();
        m_onWire.pop_front();
    }
    pump();
}

void Model::takeAll()
{
    m_takes = true;
    take(m_inSocket);
}

} // namespace Chaos
