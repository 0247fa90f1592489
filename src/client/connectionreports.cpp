// SPDX-License-Identifier: MIT
//
// What a connection's engine reports, and how the app learns of it: messages, states, errors. What the app says is in
// connectionprivate.cpp.
#include "client/connection_p.h"

#include "client/events.h"
#include "client/messagemodel.h"
#include "client/networkmonitor.h"
#include "client/websocketprovider.h"
#include "core/closecode.h"
#include "core/exceptions.h"
#include "core/logging.h"

#include <QElapsedTimer>
#include <QMetaMethod>
#include <QScopeGuard>

#include <algorithm>
#include <iterator>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// How many messages are handled between two looks at the clock.
constexpr size_t DrainChunk = 64;
constexpr qint64 CountedAtOnce = 16 * 1024; // bytes
// Bytes. Ignored messages up to this size stay in m_backlog until the inbox recycles it.
constexpr qint64 MostLeft = 2048;
// Bytes of handled messages that are collected before the pool gets them.
constexpr qint64 MostSpent = 512 * 1024;
// When so many messages have come in so many milliseconds, the next drain is so much later, whatever arrives before: a wake-up
// costs as much as handling a hundred messages, and an app that is quick enough to be woken for each would never see a lot of
// them. Later still, but no more than a frame, where fewer have come by then than make little of a wake-up.
constexpr size_t ManyMessages = 32;
constexpr int PaceMs = 4;
constexpr size_t WorthAWakeUp = 1024;
// The same where only the history and who takes the newest have had anything of them.
constexpr int FrameMs = 16;
// Often enough for a countdown in seconds that never skips one.
constexpr milliseconds CountdownTick{200};

} // namespace

// A handler may run an event loop of its own (a dialog); what arrives meanwhile is handled from in there, in
// order.
void ConnectionPrivate::drain()
{
    const QPointer<Connection> self(q);
    QElapsedTimer budget;
    budget.start();
    const bool isSteady = std::exchange(m_pace, Pace::None) == Pace::Steady;
    const int paceMs = isSteady ? m_paceMs : PaceMs;
    // If a slot throws, the remaining entries are handled in another pass.
    const auto thrown = qScopeGuard([&, exceptions = std::uncaught_exceptions()] {
        if (self && std::uncaught_exceptions() > exceptions)
            continueIn(0);
    });
    m_router.publishInterest(*m_interest);
    const bool hasTaken = takeIn();
    if (!self)
        return;
    if (backlog() > 1)
        continueIn(0); // for an event loop in a handler: nothing else may wake it
    // To take rows in may have cost a view of them all the time that there is.
    m_hasOnlyTakenIn = hasTaken && budget.elapsed() >= m_drainBudget.count();
    if (!m_hasOnlyTakenIn)
        handleBacklog(budget);
    if (!self)
        return;
    comeAgain(paceMs, isSteady);
    resumeReading();
    showCounters(m_outbox->counters());
}

// Reports all handled bytes to the inbox, and resumes reading if it was paused and there is room
// again.
void ConnectionPrivate::resumeReading()
{
    m_inbox->handled(std::exchange(m_uncounted, 0));
    if (m_inbox->takeRoomAgain())
        m_outbox->post(Command::ResumeReading{});
}

// Whether the next message must wait. That is so if the signals of an earlier event are still being
// emitted further up the stack, and one of their handlers called processEvents() (rule S7). In a
// nested event loop, such as a dialog's, these signals are emitted here first. Their handlers may
// delete the connection.
bool ConnectionPrivate::isHeldBack()
{
    if (m_backlog[m_handled].other)
        return false; // other events queue their own signals behind these
    const QPointer<Connection> self(q);
    m_signals.flush();
    return !self || m_signals.isEmittingHere();
}

// Until the time is over, or a handler has deleted the connection.
void ConnectionPrivate::handleBacklog(const QElapsedTimer &budget)
{
    const QPointer<Connection> self(q);
    size_t count = 0;
    size_t heard = 0;
    std::vector<CountedMessage> spent;
    qint64 spentCost = 0;
    const std::shared_ptr<Inbox> inbox = m_inbox;
    const std::shared_ptr<MessagePool> pool = m_messagePool;
    const auto settle = qScopeGuard([&] {
        if (self)
            inbox->handled(std::exchange(m_uncounted, 0));
        pool->give(std::move(spent));
    });
    seeWhoHears();
    while (backlog() > 0) {
        if (!m_signals.isIdle() && isHeldBack()) {
            if (!self)
                return;
            break;
        }
        if (backlog() == 0)
            break; // an event loop in a handler has handled the backlog
        Inbox::Entry &next = m_backlog[m_handled];
        ++m_handled;
        prefetch();
        // Small messages are counted in batches, because the wire thread writes the same counter.
        m_uncounted += next.cost;
        if (m_uncounted > CountedAtOnce || inbox->isRoomWanted())
            resumeReading(); // before the handlers, because they may run a dialog (rule M8)
        if (isForNobody(next)) {
            if (next.cost > MostLeft) { // smaller messages stay in m_backlog
                spentCost += next.cost;
                spent.push_back({std::move(next.message), next.cost});
            }
        } else {
            Inbox::Entry entry = std::move(next);
            ++heard;
            if (entry.other)
                inbox->handled(*entry.other);
            if (!isStale(entry))
                handle(entry);
            if (!self)
                return;
            if (!entry.other) {
                const qint64 cost = entry.cost > MostLeft ? Inbox::costOf(entry.message) : entry.cost;
                spentCost += cost;
                spent.push_back({std::move(entry.message), cost});
            }
        }
        if (spentCost > MostSpent) {
            pool->give(std::exchange(spent, {}));
            spentCost = 0;
        }
        if (++count % DrainChunk == 0) {
            pool->give(std::exchange(spent, {}));
            spentCost = 0;
            if (budget.elapsed() >= m_drainBudget.count())
                break;
        }
    }
    if (backlog() == 0) {
        inbox->giveBack(std::exchange(m_backlog, {}));
        m_handled = 0;
    }
    if (!m_lately.since.isValid() || m_lately.since.elapsed() >= PaceMs) {
        m_lately = {};
        m_lately.since.start();
    }
    m_lately.count += count;
    m_lately.heard += heard;
}

// paceMs: how much later this drain was than what it has handled, or would have been.
void ConnectionPrivate::comeAgain(int paceMs, bool isSteady)
{
    if (backlog() > 0 || m_hasArrivals) {
        continueIn(0); // a timer, not an event: painting and input come first
    } else if (m_lately.count >= ManyMessages * size_t(paceMs / PaceMs) + m_lately.sent) {
        // (A message for a message is a conversation.)
        const bool isQuiet = m_lately.heard < m_lately.count / ManyMessages;
        m_pace = isQuiet ? Pace::Quiet : Pace::Steady;
        m_inbox->hold(isQuiet ? Inbox::Hold::WhatCanWait : Inbox::Hold::Everything);
        const size_t worthIt = isSteady ? size_t(paceMs) * WorthAWakeUp / m_lately.count : 0;
        m_paceMs = isQuiet ? FrameMs : int(std::clamp<size_t>(worthIt, PaceMs, FrameMs));
        continueIn(m_paceMs);
    } else if (m_pace == Pace::None) { // a handler's event loop may have left it so
        m_continueDraining.stop();
    }
}

// The wire thread has written them, and they are far away.
void ConnectionPrivate::prefetch() const
{
    constexpr size_t near = 3;
    constexpr size_t far = 8;
    const auto isWanted = [](const Inbox::Entry &entry) { return entry.audience != Audience::Nobody; };
    if (backlog() > far && isWanted(m_backlog[m_handled + far]))
        MessageData::prefetch(m_backlog[m_handled + far].message);
    if (backlog() > near && isWanted(m_backlog[m_handled + near]))
        MessageData::prefetchDecoded(m_backlog[m_handled + near].message);
}

// What arrives before the time has come waits for it. So it does behind what a drain has left: two of them in one turn of
// the event loop would keep painting and input waiting for two budgets.
void ConnectionPrivate::wakened()
{
    if (m_pace == Pace::Steady)
        return;
    if (backlog() > 0 && m_continueDraining.isActive())
        m_hasArrivals = true;
    else
        drain();
}

void ConnectionPrivate::continueIn(int ms)
{
    m_continueDraining.start(ms);
    m_sinceContinued.start();
    m_hasGivenWay = false;
}

// Who comes late has waited for something else that took long, a frame most likely; then what has become due meanwhile comes
// first, for both at once would keep it waiting for two such times.
void ConnectionPrivate::continueDraining()
{
    const qint64 late = m_sinceContinued.elapsed() - m_continueDraining.interval();
    if (m_hasGivenWay || late <= m_drainBudget.count()) {
        drain();
    } else {
        m_hasGivenWay = true;
        m_continueDraining.start(0);
    }
}

// Returns whether it has: behind a backlog it does so once a frame, for each insertion of rows is work for their views, and
// not twice before something is handled.
bool ConnectionPrivate::takeIn()
{
    if (backlog() > 0 && (m_hasOnlyTakenIn || m_sinceTakenIn.elapsed() < FrameMs)) {
        m_hasArrivals = true; // perhaps: who has been woken is woken no more
        return false;
    }
    m_hasArrivals = false;
    m_sinceTakenIn.start();
    const bool isWatched = m_messages->isWatched();
    Inbox::Contents contents = m_inbox->takeAll(isWatched ? Inbox::Records::Taken : Inbox::Records::Left);
    if (backlog() == 0) {
        m_backlog = std::move(contents.entries);
        m_handled = 0;
    } else {
        if (m_handled > backlog()) { // which costs no more than handling them did
            m_backlog.erase(m_backlog.begin(), m_backlog.begin() + std::ptrdiff_t(m_handled));
            m_handled = 0;
        }
        std::move(contents.entries.begin(), contents.entries.end(), std::back_inserter(m_backlog));
    }
    m_messages->fallBehind(isWatched ? std::function<void()>() : [this] { record(m_inbox->takeRecords()); });
    if (contents.isHistoryOutdated)
        m_messages->drop();
    else if (contents.leftBytes > 0)
        m_messages->makeRoom(contents.leftBytes);
    if (isWatched)
        record(std::move(contents.records)); // last: a slot may delete the connection
    return true;
}

// The newest, so that however many have come, it is one insertion of what stays.
void ConnectionPrivate::record(std::vector<Inbox::Record> records)
{
    const quint32 user = m_outbox->user();
    const quint32 generation = m_inbox->generation();
    const auto isOver = [&](const Inbox::Record &record) {
        return record.generation != (record.isSent ? user : generation);
    };
    records.erase(std::remove_if(records.begin(), records.end(), isOver), records.end());
    const auto most = std::ptrdiff_t(m_inbox->historyLimit());
    std::vector<CountedMessage> counted;
    counted.reserve(records.size());
    for (auto it = records.end() - std::min(most, std::ptrdiff_t(records.size())); it != records.end(); ++it)
        counted.push_back(std::move(it->counted));
    const std::shared_ptr<MessagePool> pool = m_messagePool;
    std::vector<CountedMessage> dropped;
    m_messages->append(std::move(counted), &dropped);
    pool->give(std::move(dropped));
}

void ConnectionPrivate::seeWhoHears()
{
    static const QMetaMethod received = QMetaMethod::fromSignal(&Connection::messageReceived);
    // First, so that who connects meanwhile hears the next one.
    m_isHeardBySignal.store(false, std::memory_order_relaxed);
    if (q->isSignalConnected(received))
        messagesAreHeard();
}

// Those who hear it otherwise than by a subscription, of which the wire thread knows, are few.
bool ConnectionPrivate::isForNobody(const Inbox::Entry &entry) const
{
    return !entry.other && entry.audience == Audience::Nobody && m_router.isCurrent(entry.interest) &&
           m_pendingRequests.isEmpty() && !m_isHeardBySignal.load(std::memory_order_relaxed);
}

// What close() came before is over (rule O2). What was sent, and what was lost, stays true.
bool ConnectionPrivate::isStale(const Inbox::Entry &entry) const
{
    return entry.generation != m_inbox->generation() && !entry.as<Notice::Discarded>() &&
           !entry.as<Notice::Rejected>();
}

void ConnectionPrivate::handle(const Inbox::Entry &entry)
{
    if (entry.other)
        std::visit([this](const auto &event) { handle(event); }, *entry.other);
    else
        handle(entry.message);
}

// Subscribers receive the message even if a slot throws.
void ConnectionPrivate::handle(const Message &message)
{
    const QPointer<Connection> self(q);
    AllSteps steps;
    if (message.isBinary()) {
        steps.run([&] { Q_EMIT q->binaryMessageReceived(message.bytes()); });
        if (self)
            m_router.dispatchBinary(message);
    } else {
        if (m_isHeardBySignal.load(std::memory_order_relaxed))
            steps.run([&] { Q_EMIT q->messageReceived(message); });
        if (self)
            handOver(message);
    }
    steps.finish();
}

// Delivers the message to subscribers of its type, and to the request that it answers.
void ConnectionPrivate::handOver(const Message &message)
{
    switch (m_router.dispatchMessage(message)) {
    case Router::Routed::ToSubscribers: break;
    case Router::Routed::NotByType:
        if (message.type().isEmpty())
            break;
        qCWarning(lcConnection).noquote()
            << m_type << "- the server sent a message of type" << message.type()
            << ", which is the name of a lifecycle event; only \"message\" hears it";
        break;
    case Router::Routed::AndDestroyed: return;
    }
    m_pendingRequests.take(message, m_replyIdField);
}

void ConnectionPrivate::handle(const Notice::ParseError &notice)
{
    const QString text = QString::fromUtf8(notice.text);
    say(
        Heard::Always, [this, text, reason = notice.reason] { Q_EMIT q->parseError(text, reason); },
        Events::ParseError,
        QVariantMap{{QStringLiteral("text"), text}, {QStringLiteral("reason"), notice.reason}});
    m_signals.flush();
}

void ConnectionPrivate::handle(const Notice::Discarded &notice)
{
    lineUp(notice);
    if (!m_pendingRequests.isEmpty())
        failRequests(
            m_outbox->takeDropped(),
            {ConnectionError::RequestFailed,
             QStringLiteral("A newer message took the request's place (queueOverflow: DropOldest)")});
    m_signals.flush();
}

void ConnectionPrivate::lineUp(const Notice::Discarded &notice)
{
    qCWarning(lcConnection).noquote()
        << m_type << "-" << notice.count << "messages were discarded:" << notice.reason;
    m_signals.push([this, notice] { Q_EMIT q->messagesDiscarded(notice.count, notice.reason); });
}

void ConnectionPrivate::handle(const Notice::Rejected &notice)
{
    const QString reason = notice.count == 1
                               ? notice.reason
                               : QStringLiteral("%1 messages were not accepted, the last one because: %2")
                                     .arg(QString::number(notice.count), notice.reason);
    m_signals.push([this, reason] { Q_EMIT q->messageRejected(reason); });
    m_signals.flush();
}

void ConnectionPrivate::handle(const Notice::Overloaded &notice)
{
    qCWarning(lcConnection).noquote() << m_type << "-" << notice.error.message();
    say(
        Heard::Always, [this, error = notice.error] { tellError(error); }, Events::Error,
        Events::toMap(notice.error));
    m_signals.flush();
}

void ConnectionPrivate::tellError(const ConnectionError &error)
{
    const QPointer<Connection> self(q);
    AllSteps steps;
    steps.run([&] { Q_EMIT q->errorOccurred(error); });
    if (self && m_provider)
        steps.run([&] { Q_EMIT m_provider->errorOccurred(q, error); });
    steps.finish();
}

// ---- State ----

void ConnectionPrivate::apply(const Transition &transition)
{
    const ConnectionState from = state();
    if (transition.to == from)
        return; // open() and close() have shown it already
    Q_ASSERT(isTransitionAllowed(from, transition.to));
    const QPointer<Connection> self(q); // a binding or a slot may delete the connection
    const bool opens =
        transition.to == ConnectionState::Connecting || transition.to == ConnectionState::Error;
    AllSteps steps; // each step may throw
    {
        const SignalQueue::Hold hold(m_signals);
        show(transition, opens, steps);
    }
    if (self)
        steps.run([&] { m_signals.flush(); });
    if (self && opens)
        steps.run([&] { m_messages->setLimits(m_inbox->historyLimit(), m_inbox->historyBytes()); });
    if (self && transition.to == ConnectionState::Disconnected)
        steps.run([&] { reopen(); });
    steps.finish();
}

// Changes all properties at once and queues their signals (rules S6, S7).
void ConnectionPrivate::show(const Transition &transition, bool opens, AllSteps &steps)
{
    const bool connected = transition.to == ConnectionState::Connected;
    const bool keepsError =
        transition.to == ConnectionState::Connecting || transition.to == ConnectionState::Authenticating;
    const bool failed = transition.error.code() != ConnectionError::NoError;

    Qt::beginPropertyUpdateGroup();
    m_state = static_cast<Connection::State>(transition.to);
    set(m_isConnected, connected, &Connection::isConnectedChanged);
    if (!transition.url.isEmpty())
        set(m_url, transition.url, &Connection::urlChanged);
    set(m_sessionInfo, transition.session, &Connection::sessionInfoChanged);
    set(m_reconnectAttempt, transition.attempt, &Connection::reconnectAttemptChanged);
    set(m_nextRetryIn, int(transition.retryDelay.count()), &Connection::nextRetryInChanged);
    if (failed || !keepsError)
        showError(transition.error);
    if (failed || connected || transition.closeCode != CloseCode::None)
        set(m_closeCode, transition.closeCode, &Connection::closeCodeChanged);
    // All that belongs to the transition comes before the bindings, for what they call comes behind it (rule O5).
    startCountdown(transition.retryDelay);
    if (opens) {
        m_outbox->setAccepting(true); // rule Q2
        applyLimits(effectiveConfig());
    } else if (transition.to == ConnectionState::Disconnected && !m_reopenConfig) {
        m_outbox->setAccepting(false);
    }
    announce(transition);
    steps.run([] { Qt::endPropertyUpdateGroup(); });
}

void ConnectionPrivate::applyLimits(const ConnectionConfig &config)
{
    m_outbox->setLimits(config);
    m_inbox->setHistoryLimit(config.historyLimit());
    m_inbox->setHistoryBytes(config.historyBytes());
    m_drainBudget = config.drainBudget();
    m_requestIdField = config.requestIdField();
    m_replyIdField = config.replyIdField();
}

void ConnectionPrivate::showError(const ConnectionError &error)
{
    set(m_error, error.message(), &Connection::errorChanged);
    set(m_errorCode, error.code(), &Connection::errorCodeChanged);
}

// Lines up a signal and the lifecycle event of the same meaning; m_signals.flush() emits them.
void ConnectionPrivate::say(Heard heard, Signal signal, const QString &event, const QVariant &value)
{
    const auto both = [this, signal = std::move(signal), event, value] {
        const QPointer<Connection> self(q);
        AllSteps steps;
        steps.run([&] { signal(); });
        if (self && m_router.hasSubscribers(event))
            m_router.dispatch(event, Message::fromEvent(event, value));
        steps.finish();
    };
    m_signals.push(both, heard);
}

void ConnectionPrivate::announce(const Transition &transition)
{
    const auto name = QString::fromLatin1(toString(transition.to));
    const auto state = static_cast<Connection::State>(transition.to);
    say(
        Heard::Always, [this, state] { Q_EMIT q->stateChanged(state); }, Events::StateChange, name);
    if (transition.to == ConnectionState::Connected)
        say(
            Heard::Always, [this, session = transition.session] { Q_EMIT q->connected(session); },
            Events::Connected, Events::toMap(transition.session));
    // One for each connected(), whatever the app has or has not seen in between.
    const bool ended = m_saidConnected && transition.to != ConnectionState::Disconnecting;
    m_saidConnected = transition.to == ConnectionState::Connected || (m_saidConnected && !ended);
    if (ended)
        say(
            Heard::Always,
            [this, code = transition.closeCode, reason = transition.closeReason] {
                Q_EMIT q->disconnected(code, reason);
            },
            Events::Disconnected,
            QVariantMap{{QStringLiteral("code"), transition.closeCode},
                        {QStringLiteral("reason"), transition.closeReason}});
    if (transition.to == ConnectionState::Reconnecting || transition.to == ConnectionState::Error)
        announceFailure(transition, ended);
    settle(transition);
}

void ConnectionPrivate::announceFailure(const Transition &transition, bool wasConnected)
{
    const ConnectionError &error = transition.error;
    qCWarning(lcConnection).noquote() << m_type << "-" << error.message();
    if (NetworkMonitor *monitor = m_provider ? m_provider->networkMonitor() : nullptr)
        containExceptions(QStringLiteral("NetworkMonitor::watch()"), [&] { monitor->watch(); });
    say(
        Heard::UntilSilenced, [this, error] { tellError(error); }, Events::Error, Events::toMap(error));
    if (error.code() == ConnectionError::AuthenticationFailed)
        say(
            Heard::UntilSilenced, [this, error] { Q_EMIT q->authenticationError(error.message()); },
            Events::AuthenticationFailed, error.message());
    else if (error.code() == ConnectionError::AuthenticationTimeout)
        say(Heard::UntilSilenced, [this] { Q_EMIT q->authenticationTimeout(); },
            Events::AuthenticationTimeout, {});
    if (!wasConnected)
        say(
            Heard::UntilSilenced, [this, error] { Q_EMIT q->connectionError(error.message()); },
            Events::ConnectionFailed, error.message());
    if (transition.to == ConnectionState::Reconnecting) {
        const int delay = int(transition.retryDelay.count());
        say(
            Heard::UntilSilenced,
            [this, attempt = transition.attempt, delay] { Q_EMIT q->reconnecting(attempt, delay); },
            Events::Reconnecting,
            QVariantMap{{QStringLiteral("attempt"), transition.attempt}, {QStringLiteral("delay"), delay}});
    }
    if (transition.gaveUpAfter >= 0)
        say(
            Heard::UntilSilenced,
            [this, attempts = transition.gaveUpAfter] { Q_EMIT q->maxReconnectAttemptsReached(attempts); },
            Events::MaxReconnectAttemptsReached, transition.gaveUpAfter);
    if (transition.to == ConnectionState::Error) {
        m_signals.push([this, error] { m_pendingOpens.reject(error); });
        failRequests(error);
    }
}

void ConnectionPrivate::startCountdown(milliseconds delay)
{
    m_retryAt = m_scheduler.now() + delay;
    if (state() == ConnectionState::Reconnecting)
        m_countdownTick = m_scheduler.after(CountdownTick, [this] { tickCountdown(); });
    else
        m_countdownTick.reset();
}

void ConnectionPrivate::tickCountdown()
{
    const milliseconds left = std::max(milliseconds(0), m_retryAt - m_scheduler.now());
    set(m_nextRetryIn, int(left.count()), &Connection::nextRetryInChanged);
    m_countdownTick = m_scheduler.after(CountdownTick, [this] { tickCountdown(); });
    m_signals.flush();
}

void ConnectionPrivate::showCounters(const Outbox::Counters &counters)
{
    lineUpCounters(counters);
    m_signals.flush();
}

void ConnectionPrivate::lineUpCounters(const Outbox::Counters &counters)
{
    set(m_queuedMessages, counters.messages, &Connection::queuedMessagesChanged);
    set(m_bytesToWrite, counters.bytes, &Connection::bytesToWriteChanged);
}

} // namespace Everwire
