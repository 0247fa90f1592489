// SPDX-License-Identifier: MIT
#include "report.h"

#include <QJsonObject>
#include <QTextStream>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace Bench {

namespace {

QString number(double value)
{
    const double size = std::abs(value);
    if (size >= 1e6)
        return QStringLiteral("%1 M").arg(value / 1e6, 0, 'f', 2);
    if (size >= 1e4)
        return QStringLiteral("%1 k").arg(value / 1e3, 0, 'f', size < 1e5 ? 1 : 0);
    return QString::number(value, 'f', size < 10 ? 2 : size < 100 ? 1 : 0);
}

QString goalText(const Goal &goal, const QString &unit)
{
    switch (goal.of) {
    case Goal::Nothing: break;
    case Goal::RatioAtLeast: return QStringLiteral("≥ %1 ×").arg(goal.bound);
    case Goal::RatioAtMost: return QStringLiteral("≤ %1 ×").arg(goal.bound);
    case Goal::ValueAtMost: return QStringLiteral("≤ %1 %2").arg(goal.bound).arg(unit);
    }
    return {};
}

QJsonArray toArray(const std::vector<double> &values)
{
    QJsonArray array;
    for (double value : values)
        array.append(value);
    return array;
}

void printLine(const QString &line)
{
    QTextStream(stdout) << line << '\n';
}

} // namespace

double median(std::vector<double> values)
{
    if (values.empty())
        return 0;
    std::sort(values.begin(), values.end());
    const size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::optional<double> Row::ratio() const
{
    std::vector<double> ratios;
    for (size_t i = 0; i < std::min(runs.size(), references.size()); ++i) {
        if (references[i] > 0)
            ratios.push_back(runs[i] / references[i]);
    }
    if (ratios.empty())
        return std::nullopt;
    return median(ratios);
}

std::optional<bool> Row::isMet() const
{
    const std::optional<double> times = ratio();
    switch (goal.of) {
    case Goal::Nothing: return std::nullopt;
    case Goal::RatioAtLeast: return times && *times >= goal.bound;
    case Goal::RatioAtMost: return times && *times <= goal.bound;
    case Goal::ValueAtMost: return value() <= goal.bound;
    }
    return std::nullopt;
}

void Report::add(const Row &row)
{
    if (m_rows.empty())
        printLine(QStringLiteral("     %1 %2 %3 %4  %5")
                      .arg(QString(), -20)
                      .arg(QStringLiteral("median"), 10)
                      .arg(QStringLiteral("least … most"), 20)
                      .arg(QStringLiteral("ratio"), 8)
                      .arg(QStringLiteral("goal")));
    if (row.what != m_lastWhat)
        printLine(QStringLiteral("%1 %2, %3").arg(row.bar, row.what, row.unit));
    m_lastWhat = row.what;
    const auto [least, most] = std::minmax_element(row.runs.begin(), row.runs.end());
    const std::optional<double> times = row.ratio();
    const std::optional<bool> isMet = row.isMet();
    QString goal = goalText(row.goal, row.unit);
    if (isMet)
        goal += *isMet ? QStringLiteral("  met") : QStringLiteral("  MISSED");
    QString line = QStringLiteral("     %1 %2 %3 %4  %5")
                       .arg(row.who, -20)
                       .arg(number(row.value()), 10)
                       .arg(number(*least) + QStringLiteral(" … ") + number(*most), 20)
                       .arg(times ? QStringLiteral("%1 ×").arg(*times, 0, 'f', 2) : QString(), 8)
                       .arg(goal);
    while (line.endsWith(QLatin1Char(' ')))
        line.chop(1);
    printLine(line);
    m_rows.push_back(row);
}

void Report::note(const QString &text)
{
    printLine(QStringLiteral("     ") + text);
}

QJsonArray Report::toJson() const
{
    QJsonArray list;
    for (const Row &row : m_rows) {
        const std::optional<double> times = row.ratio();
        const std::optional<bool> isMet = row.isMet();
        const QString goal = goalText(row.goal, row.unit);
        list.append(QJsonObject{
            {QStringLiteral("bar"), row.bar},
            {QStringLiteral("what"), row.what},
            {QStringLiteral("who"), row.who},
            {QStringLiteral("value"), row.value()},
            {QStringLiteral("unit"), row.unit},
            {QStringLiteral("peer"), row.references.empty() ? QJsonValue() : median(row.references)},
            {QStringLiteral("ratio"), times ? QJsonValue(*times) : QJsonValue()},
            {QStringLiteral("goal"), goal.isEmpty() ? QJsonValue() : QJsonValue(goal)},
            {QStringLiteral("met"), isMet ? QJsonValue(*isMet) : QJsonValue()},
            {QStringLiteral("runs"), toArray(row.runs)},
            {QStringLiteral("peerRuns"), toArray(row.references)}});
    }
    return list;
}

void Report::printSummary() const
{
    int goals = 0;
    int met = 0;
    for (const Row &row : m_rows) {
        if (const std::optional<bool> isMet = row.isMet()) {
            ++goals;
            met += *isMet ? 1 : 0;
        }
    }
    printLine(QStringLiteral("%1 of %2 goals met").arg(met).arg(goals));
}

} // namespace Bench
