// SPDX-License-Identifier: MIT
//
// How a run is looked at. What it does is in steps.cpp.
#include "run.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMetaEnum>

#include <cstdio>

using namespace Everwire;

namespace Chaos {

namespace {

constexpr int StepsShown = 30;
QString leakedLine;
QString lastStep; // for an assertion of the library's, which ends the program

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

QString nameOf(Connection::State state)
{
    return nameOf(static_cast<State>(int(state)));
}

// Which rule a channel stands for.
QString ruleOf(const QString &channel)
{
    static const QHash<QString, QString> rules{{s("stateChanged"), s("S1 S5 S7")},
                                               {s("connected"), s("S6 A5")},
                                               {s("disconnected"), s("R8 O2")},
                                               {s("errorOccurred"), s("S3 S4")},
                                               {s("connectionError"), s("S4")},
                                               {s("authenticationError"), s("A3")},
                                               {s("authenticationTimeout"), s("A2")},
                                               {s("reconnecting"), s("R1 R2 R4 R5")},
                                               {s("maxReconnectAttemptsReached"), s("R3")},
                                               {s("messageReceived"), s("M1 O2")},
                                               {s("binaryMessageReceived"), s("M3")},
                                               {s("parseError"), s("M2")},
                                               {s("messageRejected"), s("Q1 Q2 Q3 Q5 Q6")},
                                               {s("messagesDiscarded"), s("Q3 Q8 A3")},
                                               {s("wire"), s("Q1 Q4 Q9 A1")},
                                               {s("tokens"), s("A1 A3")},
                                               {s("closes"), s("O3 A2 A3")},
                                               {s("pings"), s("H1 R7")}};
    return rules.value(channel, s("M4 M5"));
}

void keepLog(QtMsgType type, const QMessageLogContext &, const QString &line)
{
    if (type == QtFatalMsg)
        std::fprintf(stderr, "VIOLATION %s\n  rule S5, or another assertion: %s\n", qPrintable(lastStep),
                     qPrintable(line));
    if (leakedLine.isEmpty() && line.contains(s("secret-")))
        leakedLine = line;
}

} // namespace

QString Violation::toString() const
{
    return QStringLiteral("seed %1, step %2: rule %3\n  expected: %4\n  seen:     %5\nthe last steps:\n  %6")
        .arg(seed)
        .arg(step)
        .arg(rule, expected, seen, lastSteps.join(s("\n  ")));
}

LogKeeper::LogKeeper()
{
    leakedLine.clear();
    qInstallMessageHandler(keepLog);
}

LogKeeper::~LogKeeper()
{
    qInstallMessageHandler(nullptr);
}

QString LogKeeper::leaked()
{
    return leakedLine;
}

void Run::require(bool condition, const char *rule, const QString &expected, const QString &seen)
{
    if (!condition && !m_violation)
        m_violation = {m_seed, m_step, s(rule), expected, seen, m_trace};
}

// ---- Both sides ----

void Run::note(const QString &what)
{
    m_did[what.section(QLatin1Char(' '), 0, 0)]++;
    m_trace.append(QStringLiteral("%1 at %2 ms: %3").arg(m_step).arg(m_now).arg(what));
    lastStep = QStringLiteral("seed %1, step %2").arg(m_seed).arg(m_trace.constLast());
    if (m_trace.size() > StepsShown)
        m_trace.removeFirst();
    if (m_prints)
        std::fprintf(stdout, "%s\n", qPrintable(m_trace.constLast()));
    m_hash.addData(m_trace.constLast().toUtf8());
}

void Run::runWire()
{
    m_world.runWire();
    m_model->runWire();
}

// Until the app has heard all that the wire has said so far.
void Run::drainApp()
{
    m_world.inbox->push(0, Notice::Rejected{QStringLiteral("probe %1").arg(++m_probe)});
    while (m_probeHeard < m_probe)
        QCoreApplication::processEvents(QEventLoop::AllEvents);
    QCoreApplication::processEvents(QEventLoop::AllEvents);
    m_model->runApp();
}

void Run::settle()
{
    if (m_inBurst)
        return;
    if (m_blocked) {
        runWire();
        return;
    }
    runWire();
    drainApp();
    for (;;) {
        const bool woken = m_world.runWire();
        const bool told = m_model->runWire();
        if (!woken && !told)
            return;
        drainApp();
    }
}

// In pieces that end where the model has something to do.
void Run::advance(qint64 by)
{
    const qint64 end = m_now + by;
    for (;;) {
        const qint64 next = std::min(end, std::max(m_now, m_model->nextDue().value_or(end)));
        m_world.scheduler.advance(std::chrono::milliseconds(next - m_now));
        m_now = next;
        m_model->advanceTo(m_now);
        settle();
        if (m_now == end && m_model->nextDue().value_or(end + 1) > end)
            return;
    }
}

// ---- Looking ----

void Run::hear(const QString &channel, const QString &what)
{
    m_heard[channel].append(what + s(" in ") + nameOf(m_connection->state()));
}

void Run::listen()
{
    Connection *const c = m_connection;
    connect(c, &Connection::stateChanged, this,
            [this](Connection::State state) { hear(s("stateChanged"), nameOf(state)); });
    connect(c, &Connection::connected, this, [this] { hear(s("connected"), s("connected")); });
    connect(c, &Connection::disconnected, this,
            [this](int code) { hear(s("disconnected"), QString::number(code)); });
    connect(c, &Connection::errorOccurred, this, [this](const ConnectionError &error) {
        const char *code = QMetaEnum::fromType<ConnectionError::Code>().valueToKey(error.code());
        hear(s("errorOccurred"), QStringLiteral("%1 %2%3")
                                     .arg(s(code))
                                     .arg(error.closeCode())
                                     .arg(error.isFinal() ? s(" final") : QString()));
        require(!error.message().contains(s("secret-")), "A7", s("no token in an error"), error.message());
    });
    connect(c, &Connection::connectionError, this, [this] { hear(s("connectionError"), s("failed")); });
    connect(c, &Connection::authenticationError, this,
            [this] { hear(s("authenticationError"), s("refused")); });
    connect(c, &Connection::authenticationTimeout, this,
            [this] { hear(s("authenticationTimeout"), s("late")); });
    connect(c, &Connection::reconnecting, this, [this](int attempt, int delay) {
        hear(s("reconnecting"), QStringLiteral("attempt %1 after %2").arg(attempt).arg(delay));
    });
    connect(c, &Connection::maxReconnectAttemptsReached, this,
            [this](int attempts) { hear(s("maxReconnectAttemptsReached"), QString::number(attempts)); });
    connect(c, &Connection::messageReceived, this, [this](const Message &message) {
        hear(s("messageReceived"), QString::fromUtf8(message.bytes()));
        if (const auto armed = std::exchange(m_armed, {}))
            armed();
    });
    connect(c, &Connection::binaryMessageReceived, this, [this](const QByteArray &bytes) {
        hear(s("binaryMessageReceived"), QString::fromLatin1(bytes));
    });
    connect(c, &Connection::parseError, this,
            [this](const QString &text) { hear(s("parseError"), text.left(40)); });
    connect(c, &Connection::messageRejected, this, [this](const QString &reason) {
        if (reason.startsWith(s("probe ")))
            m_probeHeard = reason.mid(6).toInt();
        else
            hear(s("messageRejected"), s("rejected"));
    });
    connect(c, &Connection::messagesDiscarded, this,
            [this](int count) { hear(s("messagesDiscarded"), QString::number(count)); });
}

void Run::hearWire()
{
    const FakeTransport::Wire &wire = m_world.wire;
    for (; m_framesSeen < wire.sent.size(); ++m_framesSeen) {
        const FakeTransport::Frame &frame = wire.sent.at(m_framesSeen);
        const QJsonObject object = QJsonDocument::fromJson(frame.bytes).object();
        QString name = m_names.value(frame.bytes, s("unknown"));
        if (frame.isSecret)
            name = object.value(s("token")).toString();
        else if (object.value(s("type")) == s("ping"))
            name = s("heartbeat");
        m_heard[frame.isSecret ? s("tokens") : s("wire")].append(
            QStringLiteral("%1 %2").arg(frame.socket).arg(name));
    }
    for (; m_closesSeen < wire.closeCodes.size(); ++m_closesSeen)
        m_heard[s("closes")].append(QString::number(wire.closeCodes.at(m_closesSeen)));
    for (; m_pingsSeen < wire.pings; ++m_pingsSeen)
        m_heard[s("pings")].append(s("ping"));
}

void Run::compare()
{
    hearWire();
    QStringList channels = m_heard.keys() + m_model->heard.keys();
    channels.removeDuplicates();
    channels.sort();
    for (const QString &channel : std::as_const(channels)) {
        const QStringList expected = m_model->heard.value(channel);
        const QStringList seen = m_heard.value(channel);
        if (!seen.isEmpty()) {
            const QString line = QStringLiteral("    %1: %2").arg(channel, seen.join(s(", ")));
            m_hash.addData(line.toUtf8());
            if (m_prints)
                std::fprintf(stdout, "%s\n", qPrintable(line));
        }
        require(expected == seen, qPrintable(ruleOf(channel)), channel + s(": ") + expected.join(s(", ")),
                channel + s(": ") + seen.join(s(", ")));
    }
    m_heard.clear();
    m_model->heard.clear();
    const FakeTransport::Wire &wire = m_world.wire;
    require(wire.mostSockets <= 1, "O1", s("one socket"), QString::number(wire.mostSockets));
    require(wire.made == m_model->sockets(), "O1 O2 S2", QStringLiteral("%1 sockets").arg(m_model->sockets()),
            QString::number(wire.made));
    require(wire.deletedInCall == 0, "O5", s("no transport deleted on the stack"), s("one was"));
    require(LogKeeper::leaked().isEmpty(), "A7", s("no token in the log"), LogKeeper::leaked());
    if (!m_blocked && !m_inBurst)
        compareProperties();
}

void Run::compareProperties()
{
    const Properties expected = m_model->shown();
    const Connection &c = *m_connection;
    const auto same = [this](const char *rule, const char *property, const QString &e, const QString &seen) {
        require(e == seen, rule, s(property) + s(": ") + e, s(property) + s(": ") + seen);
    };
    const char *code = QMetaEnum::fromType<ConnectionError::Code>().valueToKey(c.errorCode());
    same("S5", "state", nameOf(expected.state), nameOf(c.state()));
    same("S4", "errorCode", expected.errorCode, s(code));
    same("S4", "error", expected.errorCode == s("NoError") ? s("none") : s("some"),
         c.error().isEmpty() ? s("none") : s("some"));
    same("R8", "closeCode", QString::number(expected.closeCode), QString::number(c.closeCode()));
    same("A5", "sessionInfo", QString::number(expected.hasSession && m_settings.authenticates),
         QString::number(!c.sessionInfo().sessionId().isEmpty()));
    same("S2", "reconnectAttempt", QString::number(expected.reconnectAttempt),
         QString::number(c.reconnectAttempt()));
    same("Q1", "queuedMessages", QString::number(expected.queuedMessages),
         QString::number(c.queuedMessages()));
    same("Q7", "bytesToWrite", QString::number(expected.bytesToWrite), QString::number(c.bytesToWrite()));
    same("S6", "isConnected", QString::number(expected.state == State::Connected),
         QString::number(c.isConnected()));
    require(c.state() == Connection::Reconnecting || c.nextRetryIn() == 0, "S2", s("nextRetryIn: 0"),
            QString::number(c.nextRetryIn()));
    require(!m_model->wantsToken() || m_asked.size() > m_answered, "A1", s("the token provider is asked"),
            s("it is not"));
}

void Run::compareEnd(bool wasAbrupt)
{
    if (!wasAbrupt) {
        const int gone = m_model->taken() + m_model->discarded();
        require(m_model->accepted() == gone && m_connection->queuedMessages() == 0, "Q1 Q8",
                QStringLiteral("%1 messages sent or discarded").arg(m_model->accepted()),
                QString::number(gone));
        compare();
    }
    m_handles.clear();
    m_subscribers.clear();
    m_provider.reset();
    m_connection = nullptr;
    require(m_world.wire.sockets == 0 && m_world.wire.alive == 0 && m_world.scheduler.pending() == 0, "O6",
            s("no socket, transport or timer left"),
            QStringLiteral("%1, %2, %3")
                .arg(m_world.wire.sockets)
                .arg(m_world.wire.alive)
                .arg(m_world.scheduler.pending()));
}

} // namespace Chaos
