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
#include "core/logging.h"

#include <QElapsedTimer>
#include <QScopeGuard>

#include <algorithm>
#include <iterator>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// How long handlers may run before painting and input get their turn, and how many messages are handled
// between two looks at the clock.
constexpr qint64 DrainBudgetMs = 4;
constexpr size_t DrainChunk = 64;
constexpr qint64 CountedAtOnce = 4096; // bytes
// A drain of at least so many messages is followed by the next in so many milliseconds, whatever arrives before: a wake-up
// costs as much as handling ten messages.
constexpr size_t ManyMessages = 32;
constexpr int PaceMs = 4;

} // namespace

// A handler may run an event loop of its own (a dialog); what arrives meanwhile is handled from in there, in
// order.
void ConnectionPrivate::drain()
{
    const QPointer<Connection> self(q);
    QElapsedTimer budget;
    budget.start();
    m_isPaced = false;
    m_router.publishInterest(*m_interest);
    takeIn(m_inbox->takeAll());
    if (!self)
        return;
    if (backlog() > 1)
        m_continueDraining.start(0); // for an event loop in a handler: nothing else may wake it
    // Small ones are counted by the lot, for the wire thread counts at the same place.
    qint64 cost = 0;
    size_t count = 0;
    const std::shared_ptr<Inbox> inbox = m_inbox;
    const auto settle = qScopeGuard([&] { inbox->handled(cost); });
    while (backlog() > 0) {
        const Inbox::Entry entry = std::move(m_backlog[m_handled]);
        ++m_handled;
        cost += Inbox::costOf(entry);
        if (cost > CountedAtOnce)
            inbox->handled(std::exchange(cost, 0));
        if (entry.other)
            inbox->handled(*entry.other);
        if (!isStale(entry)) {
            if (entry.other)
                std::visit([this](const auto &event) { handle(event); }, *entry.other);
            else
                handle(entry.message);
        }
        if (!self)
            return;
        if (++count % DrainChunk == 0 && budget.elapsed() >= DrainBudgetMs)
            break;
    }
    inbox->handled(std::exchange(cost, 0));
    if (backlog() > 0) {
        m_continueDraining.start(0); // a timer, not an event: painting and input come first
    } else if (count >= ManyMessages) {
        m_isPaced = true;
        m_inbox->hold();
        m_continueDraining.start(PaceMs);
    } else if (!m_isPaced) { // a handler's event loop may have left it so
        m_continueDraining.stop();
    }
    if (m_inbox->takeRoomAgain())
        m_outbox->post(Command::ResumeReading{});
    showCounters();
}

// What arrives before the time has come waits for it.
void ConnectionPrivate::wakened()
{
    if (!m_isPaced)
        drain();
}

void ConnectionPrivate::takeIn(std::vector<Inbox::Entry> entries)
{
    QList<Message> messages = toRecord(entries);
    if (backlog() == 0) {
        m_backlog = std::move(entries);
        m_handled = 0;
    } else {
        if (m_handled > backlog()) { // which costs no more than handling them did
            m_backlog.erase(m_backlog.begin(), m_backlog.begin() + std::ptrdiff_t(m_handled));
            m_handled = 0;
        }
        // What we have sent is in the history now, and nothing else is done with it: it must not wait here, where
        // nothing bounds it, for handlers that are slower than it comes (rule M8).
        std::copy_if(std::move_iterator(entries.begin()), std::move_iterator(entries.end()),
                     std::back_inserter(m_backlog),
                     [](const Inbox::Entry &entry) { return !Inbox::isRecord(entry); });
    }
    const std::shared_ptr<Inbox> inbox = m_inbox;
    std::vector<Message> dropped;
    m_messages->append(std::move(messages), &dropped); // last: a slot may delete the connection
    inbox->recycle(std::move(dropped));
}

// The newest for the history, so that however many have come, it is one insertion of what stays.
QList<Message> ConnectionPrivate::toRecord(const std::vector<Inbox::Entry> &entries) const
{
    const auto most = qsizetype(m_historyLimit.load(std::memory_order_relaxed));
    QList<Message> messages;
    for (auto entry = entries.rbegin(); entry != entries.rend() && messages.size() < most; ++entry) {
        if (!entry->other && !isStale(*entry))
            messages.append(entry->message);
    }
    std::reverse(messages.begin(), messages.end());
    return messages;
}

// What close() came before is over (rule O2). What was sent, and what was lost, stays true.
bool ConnectionPrivate::isStale(const Inbox::Entry &entry) const
{
    if (const auto *message = entry.as<Message>(); message && message->direction() == Message::Outgoing)
        return entry.generation != m_user;
    return entry.generation != m_generation && !entry.as<Notice::Discarded>() &&
           !entry.as<Notice::Rejected>();
}

void ConnectionPrivate::handle(const Message &message)
{
    if (message.direction() == Message::Outgoing)
        return;
    const QPointer<Connection> self(q);
    if (message.isBinary()) {
        Q_EMIT q->binaryMessageReceived(message.bytes());
        if (self)
            m_router.dispatch(Events::BinaryMessage, message);
        return;
    }
    Q_EMIT q->messageReceived(message);
    if (!self)
        return;
    switch (m_router.dispatchMessage(message)) {
    case Router::Routed::ToSubscribers: break;
    case Router::Routed::NotByType:
        if (message.type().isEmpty())
            return;
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
    qCWarning(lcConnection).noquote()
        << m_type << "-" << notice.count << "messages were discarded:" << notice.reason;
    m_signals.push([this, notice] { Q_EMIT q->messagesDiscarded(notice.count, notice.reason); });
    m_signals.flush();
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
    Q_EMIT q->errorOccurred(error);
    if (self && m_provider)
        Q_EMIT m_provider->errorOccurred(q, error);
}

// ---- State ----

void ConnectionPrivate::apply(const Transition &transition)
{
    const ConnectionState from = state();
    if (transition.to == from)
        return; // open() and close() have shown it already
    Q_ASSERT(isTransitionAllowed(from, transition.to));
    const bool connected = transition.to == ConnectionState::Connected;
    const bool keepsError =
        transition.to == ConnectionState::Connecting || transition.to == ConnectionState::Authenticating;
    const bool failed = transition.error.code() != ConnectionError::NoError;

    const QPointer<Connection> self(q); // a binding or a slot may delete the connection
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
    const bool opens =
        transition.to == ConnectionState::Connecting || transition.to == ConnectionState::Error;
    if (opens) {
        m_outbox->setAccepting(true); // rule Q2
        applyLimits(effectiveConfig());
    } else if (transition.to == ConnectionState::Disconnected) {
        m_outbox->setAccepting(false);
    }
    announce(transition);
    Qt::endPropertyUpdateGroup();

    if (self)
        m_signals.flush();
    if (self && opens)
        m_messages->setLimit(m_historyLimit);
    if (self && transition.to == ConnectionState::Disconnected)
        reopen();
}

void ConnectionPrivate::applyLimits(const ConnectionConfig &config)
{
    m_outbox->setLimits(config);
    m_historyLimit = config.historyLimit();
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
        signal();
        if (self && m_router.hasSubscribers(event))
            m_router.dispatch(event, Message::fromEvent(event, value));
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
    settle(transition, ended);
}

void ConnectionPrivate::announceFailure(const Transition &transition, bool wasConnected)
{
    const ConnectionError &error = transition.error;
    qCWarning(lcConnection).noquote() << m_type << "-" << error.message();
    if (NetworkMonitor *monitor = m_provider ? m_provider->networkMonitor() : nullptr)
        monitor->watch();
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
    if (transition.to == ConnectionState::Error)
        m_signals.push([this, error] { m_pendingOpens.reject(error); });
}

void ConnectionPrivate::startCountdown(milliseconds delay)
{
    m_retryAt.setRemainingTime(delay);
    if (state() == ConnectionState::Reconnecting)
        m_countdownTick.start();
    else
        m_countdownTick.stop();
}

void ConnectionPrivate::showCounters()
{
    const Outbox::Counters counters = m_outbox->counters();
    set(m_queuedMessages, counters.messages, &Connection::queuedMessagesChanged);
    set(m_bytesToWrite, counters.bytes, &Connection::bytesToWriteChanged);
    m_signals.flush();
}

} // namespace Everwire
