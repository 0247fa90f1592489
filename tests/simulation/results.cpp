// SPDX-License-Identifier: MIT
#include "results.h"

#include <QJsonObject>
#include <QLocale>
#include <QStringList>

#include <algorithm>
#include <atomic>
#include <thread>

namespace Storms {

namespace {

using namespace std::chrono_literals;

QString grouped(qint64 number)
{
    return QLocale(QLocale::English, QLocale::UnitedStates).toString(number);
}

QString nameOf(milliseconds outage)
{
    return outage == 1h ? QStringLiteral("1 h") : QStringLiteral("%1 s").arg(outage.count() / 1000);
}

QString timeText(const std::optional<milliseconds> &time)
{
    return time ? grouped((time->count() + 500) / 1000) + QStringLiteral(" s") : QStringLiteral("never");
}

// The groups of three outages with the same fleet, options and back-off stand together.
QString cellsOf(const Result &result)
{
    const Outcome &outcome = result.outcome;
    const bool isUseless = outcome.back == 0;
    return QStringLiteral(" %1 | %2 | %3 |")
        .arg(isUseless ? QStringLiteral("–") : grouped(outcome.peak), timeText(outcome.nearlyAll),
             grouped(outcome.gaveUp));
}

void runFrom(std::atomic<size_t> &next, std::vector<Result> &results,
             const std::vector<std::shared_ptr<const Backoff>> &how)
{
    for (size_t i = next++; i < results.size(); i = next++)
        results[i].outcome = live(results[i].storm, *how[i]);
}

} // namespace

QList<Options> allOptions()
{
    return {{QStringLiteral("as it is: 10 attempts, at most 30 s apart"), 10, 30s},
            {QStringLiteral("attempts without end, at most 30 s apart"), -1, 30s},
            {QStringLiteral("attempts without end, at most 5 min apart"), -1, 5min}};
}

std::vector<std::shared_ptr<const Backoff>> backoffs(const Options &options)
{
    const auto config = Everwire::ConnectionConfig()
                            .setMaxReconnectAttempts(options.attempts)
                            .setMaxReconnectDelay(options.longest)
                            .setInitialReconnectDelay(options.first);
    const double usual = Everwire::ConnectionConfig().reconnectJitter();
    std::vector<std::shared_ptr<const Backoff>> list;
    for (const double jitter : {0.0, usual, 0.5, 1.0})
        list.push_back(
            std::make_shared<PolicyBackoff>(QStringLiteral("jitter %1").arg(jitter) +
                                                (jitter == usual ? QStringLiteral(", default") : QString()),
                                            Everwire::ConnectionConfig(config).setReconnectJitter(jitter)));
    list.push_back(
        std::make_shared<OtherBackoff>(QStringLiteral("full jitter"), OtherBackoff::Kind::Full, config));
    list.push_back(std::make_shared<OtherBackoff>(QStringLiteral("decorrelated"),
                                                  OtherBackoff::Kind::Decorrelated, config));
    return list;
}

std::vector<Result> runAll(const QList<int> &fleets, std::uint64_t seed)
{
    std::vector<Result> results;
    std::vector<std::shared_ptr<const Backoff>> how;
    const QList<Options> choices = allOptions();
    for (const int fleet : fleets) {
        for (const Options &options : choices) {
            for (const auto &backoff : backoffs(options)) {
                for (const milliseconds outage : {milliseconds(1s), milliseconds(60s), milliseconds(1h)}) {
                    Result result;
                    result.storm.clients = fleet;
                    result.storm.outage = outage;
                    result.storm.seed = seed;
                    result.options = options.name;
                    result.backoff = backoff->name();
                    result.isDefault = backoff->name().endsWith(QLatin1String("default"));
                    results.push_back(result);
                    how.push_back(backoff);
                }
            }
        }
    }
    std::atomic<size_t> next{0};
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
        threads.emplace_back([&] { runFrom(next, results, how); });
    runFrom(next, results, how);
    for (std::thread &thread : threads)
        thread.join();
    return results;
}

QString toMarkdown(const std::vector<Result> &results)
{
    QString text;
    QString table;
    QString row;
    for (const Result &result : results) {
        const QString heading = grouped(result.storm.clients) + QStringLiteral(" clients, ") + result.options;
        if (heading != table) {
            table = heading;
            row.clear();
            text += QStringLiteral("\n\n### %1\n").arg(heading);
            text += QStringLiteral("| | 1 s: peak | 99 % back | gave up | 60 s: peak | 99 % back | gave up "
                                   "| 1 h: peak | 99 % back | gave up |\n"
                                   "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        }
        if (result.backoff != row) {
            row = result.backoff;
            text += QStringLiteral("\n| %1 |").arg(row);
        }
        text += cellsOf(result);
    }
    return text.trimmed() + QLatin1Char('\n');
}

QJsonArray toFigures(const std::vector<Result> &results)
{
    QJsonArray figures;
    const auto add = [&figures](const Result &result, const QString &bar, const QString &what, double value,
                                const QString &unit) {
        figures.append(QJsonObject{{QStringLiteral("bar"), bar},
                                   {QStringLiteral("what"), what},
                                   {QStringLiteral("who"), result.backoff},
                                   {QStringLiteral("ours"), result.isDefault},
                                   {QStringLiteral("value"), value},
                                   {QStringLiteral("unit"), unit},
                                   {QStringLiteral("ratio"), QJsonValue()}});
    };
    for (const Result &result : results) {
        const QString what =
            QStringLiteral("%1 clients, %2 away, %3")
                .arg(grouped(result.storm.clients), nameOf(result.storm.outage), result.options);
        add(result, QStringLiteral("storm peak"), what, double(result.outcome.peak), {});
        if (result.outcome.nearlyAll)
            add(result, QStringLiteral("storm back"), what, double(result.outcome.nearlyAll->count()) / 1000,
                QStringLiteral("s"));
    }
    return figures;
}

} // namespace Storms
