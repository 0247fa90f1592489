// SPDX-License-Identifier: MIT
#include "appmeasure.h"

#include "apps.h"
#include "clock.h"
#include "measurement.h"
#include "uiwatch.h"

#include <algorithm>

namespace Bench {

namespace {

class AppMeasurement : public Measurement, public AppListener
{
public:
    explicit AppMeasurement(const Task &task) : Measurement(task), m_app(makeApp(task.peer)) {}

    void answered(const Answer &answer) override
    {
        if (answer.content.isEmpty() || answer.timestamp.isEmpty())
            fail(QStringLiteral("message %1 lacks a field").arg(m_received));
        count();
    }
    void answeredUnread() override { count(); }
    void binaryReceived(const QByteArray &bytes) override
    {
        if (bytes.size() != m_size)
            fail(QStringLiteral("message %1 has %2 bytes").arg(m_received).arg(bytes.size()));
        count();
    }
    void ended(const QString &why) override { fail(QStringLiteral("the connection ended: ") + why); }

protected:
    void start() override
    {
        if (!m_app)
            return fail(QStringLiteral("no such app"));
        m_app->setListener(this);
        m_app->open(url());
    }
    virtual void counted(int) {}

    [[nodiscard]] int total() const { return m_count; }
    [[nodiscard]] int warm() const { return std::max(1, m_count / 10); }
    void checkCount()
    {
        if (m_received != m_count)
            fail(QStringLiteral("%1 of %2 messages came").arg(m_received).arg(m_count));
    }

private:
    void count() { counted(++m_received); }

    const int m_size = number("size");
    const int m_count = number("count");
    int m_received = 0;
    std::unique_ptr<App> m_app;
};

// The main thread's work in the steady part of a stream, which the marks enclose.
class WatchingUi final : public AppMeasurement
{
public:
    explicit WatchingUi(const Task &task) : AppMeasurement(task) {}

    void begun() override
    {
        m_ui.begin(std::chrono::duration<double>(double(total() - warm()) / m_rate));
        m_clock.start();
    }

    void over() override
    {
        m_ui.end();
        checkCount();
        QJsonObject result = rates(m_clock.span(), total() - warm());
        result[QLatin1String("ui")] = m_ui.load() * 1e6 / m_rate;
        result[QLatin1String("late")] = m_ui.worstLate();
        finish(result);
    }

private:
    const int m_rate = number("rate");
    StreamWatch m_ui;
    Clock m_clock;
};

// Ticks while all comes at once, from a quiet beginning on.
class Bursting final : public AppMeasurement
{
public:
    explicit Bursting(const Task &task) : AppMeasurement(task) {}

    void over() override
    {
        m_ui.end();
        checkCount();
        finish(
            {{QStringLiteral("late"), m_ui.worstLate()}, {QStringLiteral("ui"), m_ui.cpu() * 1e6 / total()}});
    }

protected:
    void start() override
    {
        m_ui.start();
        AppMeasurement::start();
        // Opening is not what is measured: the stream waits for longer.
        QTimer::singleShot(number("wait") / 2, context(), [this] { m_ui.begin(); });
    }

private:
    UiWatch m_ui;
};

// The first tenth warms up.
class Routing final : public AppMeasurement
{
public:
    explicit Routing(const Task &task) : AppMeasurement(task) {}

protected:
    void counted(int received) override
    {
        if (received == warm())
            m_clock.start();
        else if (received == total())
            finish(rates(m_clock.span(), total() - warm()));
    }

private:
    Clock m_clock;
};

} // namespace

bool isForApp(const Task &task)
{
    return QUrlQuery(QUrl(task.url)).hasQueryItem(QStringLiteral("measure"));
}

QJsonObject runApp(const Task &task)
{
    const QString what = QUrlQuery(QUrl(task.url)).queryItemValue(QStringLiteral("measure"));
    if (what == QLatin1String("ui"))
        return WatchingUi(task).run();
    if (what == QLatin1String("burst"))
        return Bursting(task).run();
    if (what == QLatin1String("route"))
        return Routing(task).run();
    return failure(QStringLiteral("no such task"));
}

} // namespace Bench
