// SPDX-License-Identifier: MIT
#include "measurement.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QTimer>

#include <algorithm>
#include <cstdio>

namespace Bench {

namespace {

constexpr int Patience = 60'000; // ms, for one task

} // namespace

Measurement::Measurement(const Task &task) : m_url(task.url), m_query(m_url)
{
    const bool isTls = number("tls") == 1;
    m_url.setScheme(isTls ? QStringLiteral("wss") : QStringLiteral("ws"));
    m_url.setHost(QStringLiteral("127.0.0.1"));
    m_url.setPort(isTls ? task.tlsPort : task.plainPort);
}

QJsonObject Measurement::run()
{
    QTimer::singleShot(Patience, &m_context,
                       [this] { fail(QStringLiteral("it did not end within a minute")); });
    start();
    if (m_result.isEmpty())
        QCoreApplication::exec();
    return m_result;
}

int Measurement::number(const char *name) const
{
    return text(name).toInt();
}

QString Measurement::text(const char *name) const
{
    return m_query.queryItemValue(QLatin1String(name));
}

void Measurement::finish(const QJsonObject &result)
{
    if (!m_result.isEmpty())
        return;
    m_result = result;
    QCoreApplication::quit();
}

QJsonObject failure(const QString &why)
{
    return {{QStringLiteral("error"), why}};
}

QJsonObject rates(const Clock::Span &span, int messages)
{
    return {{QStringLiteral("rate"), messages / span.wall},
            {QStringLiteral("cpu"), span.cpu * 1e6 / messages}};
}

double quantile(std::vector<double> &values, double share)
{
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[size_t(double(values.size() - 1) * share)];
}

int print(const QJsonObject &result)
{
    std::puts(QJsonDocument(result).toJson(QJsonDocument::Compact).constData());
    return result.contains(QLatin1String("error")) ? 1 : 0;
}

} // namespace Bench
