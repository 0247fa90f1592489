// SPDX-License-Identifier: MIT
#include "livemeasure.h"

#include "corpus.h"
#include "librarysetup.h"
#include "peermeasurement.h"
#include "uiwatch.h"

#include <Everwire/WebSocketProvider>

#include <QJsonDocument>
#include <QLoggingCategory>
#include <QTimer>

#include <algorithm>

namespace Bench {

namespace {

constexpr double MiB = 1024 * 1024;

// The server asks for pongs, or waits for pings, while the UI thread works. What it has seen it says at the end.
class Beating final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void opened() override
    {
        m_ui.setBusy(std::chrono::milliseconds(number("busy")));
        m_ui.start();
    }

    void textReceived(Everwire::PaddedView utf8) override
    {
        QJsonObject report = QJsonDocument::fromJson(utf8.toByteArray()).object();
        if (const int heartbeat = number("heartbeat"); heartbeat > 0) {
            // Half of them at least, or this was no measurement.
            if (report[QLatin1String("pings")].toInt() < number("time") / heartbeat / 2)
                return fail(
                    QStringLiteral("there were %1 heartbeats").arg(report[QLatin1String("pings")].toInt()));
            report[QLatin1String("missed")] = 0;
        }
        report.remove(QLatin1String("type"));
        finish(report);
    }

    // A heartbeat that is missed ends the connection.
    void ended(const QString &why) override
    {
        if (number("heartbeat") > 0)
            finish({{QStringLiteral("missed"), 1}, {QStringLiteral("pings"), 0}});
        PeerMeasurement::ended(why);
    }

protected:
    void start() override { open(*m_client); }

private:
    UiWatch m_ui;
    std::unique_ptr<Client> m_client = connectClient();
};

// Sends without looking at what is still to be written.
class Stalling final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void opened() override
    {
        m_before = residentBytes();
        QObject::connect(&m_timer, &QTimer::timeout, context(), [this] { sendSome(); });
        m_timer.start(0);
    }

protected:
    void start() override
    {
        // The library warns that not all could be sent, as it should.
        QLoggingCategory::setFilterRules(QStringLiteral("everwire.*.warning=false"));
        m_client->prepare(m_messages, isText());
        open(*m_client);
    }

private:
    void sendSome()
    {
        constexpr int some = 100;
        const int end = std::min(m_sent + some, m_count);
        for (; m_sent < end; ++m_sent)
            m_client->send(size_t(m_sent) % m_messages.size());
        if (m_sent < m_count)
            return;
        m_timer.stop();
        QTimer::singleShot(200, context(), [this] {
            finish({{QStringLiteral("growth"), double(peakResidentBytes() - m_before) / MiB}});
        });
    }

    const int m_count = number("count");
    const std::vector<QByteArray> m_messages = corpusOf(isText(), number("size"), m_count);
    int m_sent = 0;
    qint64 m_before = 0;
    QTimer m_timer;
    std::unique_ptr<Client> m_client = connectClient();
};

class Growing final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void opened() override { m_before = residentBytes(); }
    void textReceived(Everwire::PaddedView) override
    {
        if (++m_received == m_count)
            finish({{QStringLiteral("growth"), double(peakResidentBytes() - m_before) / MiB}});
    }

protected:
    void start() override { open(*m_client); }

private:
    const int m_count = number("count");
    int m_received = 0;
    qint64 m_before = 0;
    std::unique_ptr<Client> m_client = connectClient();
};

// Connections that nobody uses.
class Sleeping final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void opened() override
    {
        if (m_clients.size() < size_t(number("connections"))) {
            QTimer::singleShot(0, context(), [this] { next(); });
            return;
        }
        // A new connection still has timers for what comes soon, once each.
        QTimer::singleShot(number("settle"), context(), [this] {
            m_before = waits();
            QTimer::singleShot(m_time, Qt::PreciseTimer, context(), [this] {
                // But for the one that ends it.
                finish({{QStringLiteral("wakeups"), double(waits() - m_before - 1) * 1000 / m_time}});
            });
        });
    }

protected:
    void start() override { next(); }

private:
    void next()
    {
        m_clients.push_back(connectClient());
        open(*m_clients.back());
    }

    const int m_time = number("wakeups"); // ms
    qint64 m_before = 0;
    std::vector<std::unique_ptr<Client>> m_clients;
};

// The library alone: many connections at once, from the first to the last message of each.
class Crowd final : public Measurement
{
public:
    explicit Crowd(const Task &task) : Measurement(task) {}

protected:
    void start() override
    {
        auto *provider = Everwire::WebSocketProvider::instance();
        provider->setToken(QStringLiteral("bench"));
        m_threads = threadCount();
        m_ui.start();
        m_clock.start();
        for (int i = 0; i < m_connections; ++i)
            add(makeConnection(url()));
    }

private:
    void add(Everwire::Connection *connection)
    {
        using Everwire::Connection;
        QObject::connect(connection, &Connection::connected, context(), [this] {
            if (++m_open == m_connections)
                allAreOpen();
        });
        QObject::connect(connection, &Connection::errorOccurred, context(), [this] { ++m_failures; });
        connection->subscribe(QStringLiteral("ai_response"), context(), [this] {
            if (++m_received == m_connections * m_count)
                end();
        });
        connection->open();
    }

    void allAreOpen()
    {
        m_opening = m_clock.span().wall * 1e3;
        m_ui.begin();
    }

    void end()
    {
        m_ui.end();
        finish({{QStringLiteral("failures"), m_failures},
                {QStringLiteral("threads"), threadCount() - m_threads},
                {QStringLiteral("opening"), m_opening},
                {QStringLiteral("late"), m_ui.worstLate()}});
    }

    const int m_connections = number("crowd");
    const int m_count = number("count");
    int m_threads = 0;
    int m_open = 0;
    int m_received = 0;
    int m_failures = 0;
    double m_opening = 0; // ms
    Clock m_clock;
    UiWatch m_ui;
};

bool has(const Task &task, const char *key)
{
    return QUrlQuery(QUrl(task.url)).hasQueryItem(QLatin1String(key));
}

} // namespace

bool isLive(const Task &task)
{
    const QString path = QUrl(task.url).path();
    return path == QLatin1String("/ping") || path == QLatin1String("/listen") ||
           path == QLatin1String("/stall") || has(task, "growth") || has(task, "wakeups") ||
           has(task, "crowd");
}

QJsonObject runLive(const Task &task, const Peer &peer)
{
    if (has(task, "crowd"))
        return Crowd(task).run();
    if (has(task, "wakeups"))
        return runWith<Sleeping>(task, peer);
    if (has(task, "growth"))
        return runWith<Growing>(task, peer);
    if (QUrl(task.url).path() == QLatin1String("/stall"))
        return runWith<Stalling>(task, peer);
    return runWith<Beating>(task, peer);
}

} // namespace Bench
