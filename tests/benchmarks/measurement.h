// SPDX-License-Identifier: MIT
#pragma once

#include "clock.h"
#include "measure.h"

#include <QJsonObject>
#include <QObject>
#include <QUrl>
#include <QUrlQuery>

#include <vector>

namespace Bench {

// One task: it starts, the event loop runs, and the first result counts.
class Measurement
{
public:
    explicit Measurement(const Task &task);
    virtual ~Measurement() = default;
    Q_DISABLE_COPY_MOVE(Measurement)

    QJsonObject run();

protected:
    virtual void start() = 0;

    // The task's own keys.
    [[nodiscard]] int number(const char *name) const;
    [[nodiscard]] QString text(const char *name) const;
    [[nodiscard]] bool isText() const { return text("kind") == QLatin1String("text"); }
    [[nodiscard]] const QUrl &url() const { return m_url; }
    // Of what is started later, and is not called once this is gone.
    [[nodiscard]] QObject *context() { return &m_context; }

    // The first word counts.
    void finish(const QJsonObject &result);
    void fail(const QString &why) { finish({{QStringLiteral("error"), why}}); }
    [[nodiscard]] bool isFinished() const { return !m_result.isEmpty(); }

private:
    QUrl m_url;
    QUrlQuery m_query;
    QJsonObject m_result;
    QObject m_context;
};

QJsonObject failure(const QString &why);
QJsonObject rates(const Clock::Span &span, int messages);
// What is not more than that *share* of the values, which are sorted for it.
double quantile(std::vector<double> &values, double share);

// Prints a task's result; returns the process's exit code.
int print(const QJsonObject &result);

} // namespace Bench
