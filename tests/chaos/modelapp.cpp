// SPDX-License-Identifier: MIT
//
// The app's half of the model: what the app says, and what it hears and sees.
#include "model.h"

#include <algorithm>

namespace Chaos {

namespace {

QString word(const char *text)
{
    return QString::fromLatin1(text);
}

} // namespace

// ---- What the app says ----

void Model::open()
{
    m_openedByHandle = false;
    m_due.erase(Due::Linger);
    openNow();
}

void Model::openNow()
{
    const State now = m_shown.state;
    if (now == State::Disconnecting) {
        m_reopens = true;
        m_accepts = true;
        m_limits = m_configured;
        return;
    }
    m_reopens = false;
    m_queue.insert(m_queue.end(), m_nextQueue.begin(), m_nextQueue.end());
    m_nextQueue.clear();
    if (now != State::Disconnected && now != State::Error && now != State::Reconnecting)
        return; // rule O1
    post([this, settings = m_configured] {
        if (m_phase == Phase::Idle || m_phase == Phase::Failed) {
            m_next = settings;
            afresh();
        } else if (m_phase == Phase::Waiting) { // rule S2
            m_next = settings;
            begin();
        }
    });
    if (now == State::Reconnecting)
        return;
    Report report;
    report.to = State::Connecting;
    report.round = m_round;
    show(report);
}

void Model::close()
{
    closeNow();
}

void Model::closeNow(bool forgets)
{
    m_openedByHandle = false;
    m_due.erase(Due::Linger);
    takeBackOpen();
    if (m_shown.state == State::Disconnected)
        return;
    m_accepts = false;
    const int round = ++m_round;
    post([this, round, forgets] {
        m_wireRound = round;
        m_attempt = 0;
        if (forgets && forgetUser())
            return;
        if (m_phase == Phase::Closing)
            return;
        if (m_phase == Phase::Open) {
            startClosing();
            return;
        }
        discardQueue();
        // Nothing may be sent on it, so it does not wait for an earlier goodbye.
        const bool isOpen = m_phase == Phase::Authenticating;
        if (!isOpen)
            leaveSocket(0);
        Report report;
        report.to = State::Disconnecting;
        go(Phase::Closing, report);
        forgetGoodbye();
        if (isOpen)
            sayClose();
        else
            finishClosing();
    });
    if (forgets)
        runWire(); // and waits for that
    if (m_shown.state == State::Disconnecting)
        return;
    Report report;
    report.to = State::Disconnecting;
    show(report);
}

void Model::takeBackOpen()
{
    if (!std::exchange(m_reopens, false))
        return;
    m_accepts = false;
    int lost = 0;
    for (const Parcel &parcel : std::exchange(m_nextQueue, {}))
        lost += parcel.count();
    m_discardedCount += lost;
    if (lost > 0)
        hear(word("messagesDiscarded"), QString::number(lost));
}

void Model::reconnect()
{
    const State now = m_shown.state;
    if (now == State::Disconnected || now == State::Error || now == State::Disconnecting) {
        openNow();
        return;
    }
    post([this, settings = m_configured] {
        if (m_phase == Phase::Closing)
            return;
        m_next = settings;
        if (m_phase == Phase::Idle || m_phase == Phase::Failed) {
            afresh();
            return;
        }
        leaveSocket(m_phase == Phase::Open ? 1000 : 0);
        begin();
    });
}

void Model::configure(const Settings &settings)
{
    m_configured = settings;
    if (m_reopens)
        m_limits = settings;
    post([this, settings] { m_next = settings; }); // rule C5
}

// What the connection holds beside its queue; no matter of the next one's.
qint64 Model::heldBytes() const
{
    qint64 bytes = 0;
    for (const OnWire &sent : m_onWire)
        bytes += sent.isOurs ? 0 : sent.parcel.size();
    for (const OnWire &sent : m_parting ? m_parting->onWire : std::deque<OnWire>())
        bytes += sent.isOurs ? 0 : sent.parcel.size();
    return bytes;
}

bool Model::hasRoom(const Parcel &parcel) const
{
    qint64 bytes = parcel.size() + (m_reopens ? 0 : heldBytes());
    int count = parcel.count();
    for (const Parcel &queued : m_reopens ? m_nextQueue : m_queue) {
        bytes += queued.size();
        count += queued.count();
    }
    return bytes <= m_limits.maxQueuedBytes && (isSentAtOnce() || count <= m_limits.maxQueuedMessages);
}

bool Model::push(const Parcel &parcel)
{
    const bool hasBinary = parcel.isBinary || parcel.attached >= 0;
    if (!m_accepts || (hasBinary && !m_limits.binarySupported) ||
        std::max(parcel.bytes, parcel.attached) > m_limits.maxMessageSize) {
        rejected();
        return false;
    }
    if (m_limits.dropsOldest) {
        const qint64 held = m_reopens ? 0 : heldBytes();
        const bool fitsAlone = held + parcel.size() <= m_limits.maxQueuedBytes &&
                               (isSentAtOnce() || parcel.count() <= m_limits.maxQueuedMessages);
        int dropped = 0;
        while (fitsAlone && !line().empty() && !hasRoom(parcel)) {
            dropped += line().front().count();
            line().pop_front();
        }
        discarded(dropped);
    }
    if (!hasRoom(parcel)) {
        rejected();
        return false;
    }
    m_accepted += parcel.count();
    line().push_back(parcel);
    return true;
}

void Model::rejected()
{
    hear(word("messageRejected"), word("rejected"));
}

void Model::takeHandle(int handle) // rule O7
{
    m_handles.insert(handle);
    m_due.erase(Due::Linger);
    const State now = m_shown.state;
    if (now != State::Disconnected && now != State::Error && now != State::Disconnecting)
        return;
    if (m_reopens)
        return;
    m_openedByHandle = true;
    openNow();
}

void Model::releaseHandle(int handle)
{
    if (m_handles.erase(handle) > 0 && m_handles.empty() && m_openedByHandle)
        schedule(Due::Linger, m_configured.linger);
}

void Model::forget()
{
    // What waits is nobody's from here on.
    int waiting = queued();
    for (const Parcel &parcel : std::exchange(m_nextQueue, {}))
        waiting += parcel.count();
    m_queue.clear();
    m_discardedCount += waiting;
    closeNow(true);
    if (waiting > 0)
        hear(word("messagesDiscarded"), QString::number(waiting));
    m_shown.errorCode = word("NoError");
    m_shown.closeCode = 0;
}

// Nothing of the user leaves any more (rule Q8): what has not left is discarded, on the spot.
bool Model::forgetUser()
{
    const bool isCut = isLinked() && m_inSocket > 0;
    if (isCut) {
        forgetGoodbye();
        Report report;
        report.to = State::Disconnecting;
        const bool tells = m_phase != Phase::Closing;
        keepUnsent();
        m_socket = 0;
        if (tells)
            go(Phase::Closing, report);
        m_due.erase(Due::Phase);
        m_phase = Phase::Closing;
    }
    if (m_parting && !m_parting->onWire.empty()) {
        const Phase phase = std::exchange(m_phase, Phase::Idle); // it only goes back to the queue here
        partingIsOver();
        m_phase = phase;
    }
    discardQueue();
    if (m_phase != Phase::Closing)
        return false;
    continueClosing();
    return true;
}

void Model::signIn()
{
    forget();
    if (!m_handles.empty())
        takeHandle(*m_handles.begin());
}

void Model::networkBack() // rule R7
{
    post([this] {
        if (m_phase == Phase::Waiting) {
            const auto soon = qint64(m_chance * m_settings.jitter * double(m_settings.initialReconnectDelay));
            const qint64 due = std::max(m_now + soon, m_notBefore);
            if (due < m_due[Due::Phase].first) {
                schedule(Due::Phase, due - m_now);
                m_wasHinted = true;
            }
        } else if (m_phase == Phase::Failed && m_gaveUpForTheNetwork) {
            afresh();
        } else if (m_phase == Phase::Open && m_settings.heartbeat != Settings::Off && !m_asked) {
            ask();
        }
    });
}

// ---- What it hears and sees ----

bool Model::runApp()
{
    const bool any = !m_reports.empty();
    while (!m_reports.empty()) {
        const Report report = std::move(m_reports.front());
        m_reports.pop_front();
        if (report.kind == Report::Discarded)
            hear(word("messagesDiscarded"), QString::number(report.count));
        else if (report.round != m_round)
            continue; // it is of before a close() (rule O2)
        else if (report.kind == Report::Step)
            show(report);
        else
            deliver(report);
    }
    return any;
}

void Model::hear(const QString &channel, const QString &what)
{
    heard[channel].append(what + word(" in ") + nameOf(m_shown.state));
}

void Model::hearSubscribers(const std::set<QString> &events)
{
    const std::map<int, QString> subscribers = m_subscribers;
    for (const auto &[number, event] : subscribers) {
        if (events.count(event) > 0)
            hear(QStringLiteral("subscriber %1 of %2").arg(number).arg(event), word("it"));
    }
}

void Model::deliver(const Report &report)
{
    if (report.kind == Report::Binary) {
        hear(word("binaryMessageReceived"), report.name);
        hearSubscribers({word("binaryMessage")});
        return;
    }
    if (report.kind == Report::Rubbish) {
        hear(word("parseError"), report.name);
        hearSubscribers({word("parseError")});
        return;
    }
    hear(word("messageReceived"), report.name);
    if (const auto armed = std::exchange(m_armed, {}))
        armed();
    static const std::set<QString> reserved{
        word("stateChange"),           word("connected"),    word("disconnected"),
        word("connectionError"),       word("message"),      word("authenticationError"),
        word("authenticationTimeout"), word("reconnecting"), word("maxReconnectAttemptsReached"),
        word("binaryMessage"),         word("parseError")};
    std::set<QString> events{word("message"), word("*")};
    if (!report.type.isEmpty() && reserved.count(report.type) == 0) // rule M5
        events.insert(report.type);
    hearSubscribers(events);
}

// The signal and the lifecycle event of the guide's name (rule M5).
void Model::hearEvent(const QString &event, const QString &what)
{
    static const QMap<QString, QString> signal{{word("stateChange"), word("stateChanged")},
                                               {word("error"), word("errorOccurred")}};
    hear(signal.value(event, event), what);
    hearSubscribers({event});
}

void Model::show(const Report &report)
{
    if (report.to == m_shown.state)
        return;
    const State to = report.to;
    m_shown.state = to;
    m_shown.hasSession = to == State::Connected;
    m_shown.reconnectAttempt = report.attempt;
    if (report.failure)
        m_shown.errorCode = report.failure->code;
    else if (to != State::Connecting && to != State::Authenticating)
        m_shown.errorCode = word("NoError");
    if (report.failure || to == State::Connected || report.closeCode != 0)
        m_shown.closeCode = report.closeCode;
    if (to == State::Connecting || to == State::Error) {
        m_accepts = true;
        m_limits = m_configured;
    } else if (to == State::Disconnected && !m_reopens) {
        m_accepts = false;
    }

    hearEvent(word("stateChange"), nameOf(to));
    if (to == State::Connected)
        hearEvent(word("connected"), word("connected"));
    const bool ended = m_saidConnected && to != State::Disconnecting && to != State::Connected;
    m_saidConnected = to == State::Connected || (m_saidConnected && !ended);
    if (ended)
        hearEvent(word("disconnected"), QString::number(report.closeCode));
    if (report.failure) {
        const Failure &failure = *report.failure;
        hearEvent(word("error"), QStringLiteral("%1 %2%3")
                                     .arg(failure.code)
                                     .arg(failure.closeCode)
                                     .arg(failure.isFinal ? word(" final") : QString()));
        if (failure.code == word("AuthenticationFailed"))
            hearEvent(word("authenticationError"), word("refused"));
        else if (failure.code == word("AuthenticationTimeout"))
            hearEvent(word("authenticationTimeout"), word("late"));
        if (!ended)
            hearEvent(word("connectionError"), word("failed"));
        if (to == State::Reconnecting)
            hearEvent(word("reconnecting"),
                      QStringLiteral("attempt %1 after %2").arg(report.attempt).arg(report.delay));
        if (report.gaveUpAfter >= 0)
            hearEvent(word("maxReconnectAttemptsReached"), QString::number(report.gaveUpAfter));
    }
    if (to == State::Disconnected && m_reopens)
        openNow();
}

Properties Model::shown() const
{
    Properties properties = m_shown;
    properties.queuedMessages = 0;
    properties.bytesToWrite = heldBytes();
    for (const auto &line : {m_queue, m_nextQueue}) {
        for (const Parcel &parcel : line) {
            properties.queuedMessages += parcel.count();
            properties.bytesToWrite += parcel.size();
        }
    }
    return properties;
}

} // namespace Chaos
