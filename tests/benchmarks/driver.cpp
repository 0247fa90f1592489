// SPDX-License-Identifier: MIT
#include "driver.h"

#include "measure.h"
#include "peers.h"

#include <QCoreApplication>
#include <QJsonDocument>

#include <algorithm>

namespace Bench {

Driver::Driver(const QStringList &words) : m_words(words) {}

Driver::~Driver()
{
    m_server.closeWriteChannel();
    m_server.waitForFinished(5000);
}

bool Driver::startServer()
{
    m_server.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_server.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--serve")});
    while (m_server.waitForReadyRead(10'000)) {
        if (m_server.canReadLine()) {
            m_ports = QString::fromLatin1(m_server.readLine()).trimmed().split(QLatin1Char(' '));
            return m_ports.size() == 2;
        }
    }
    return false;
}

std::vector<Driver::Runner> Driver::runnersFor(const Case &one) const
{
    std::vector<Runner> runners;
    for (const Peer &peer : peers()) {
        const QString name = QLatin1String(peer.name);
        const bool isWanted =
            m_words.isEmpty() || std::any_of(m_words.begin(), m_words.end(), [&name](const QString &word) {
                return name.contains(word, Qt::CaseInsensitive);
            });
        if ((isWanted || &peer == &peers().front()) && (peer.features & one.needs) == one.needs)
            runners.push_back({name, (peer.features & Peer::Judged) != 0, false, {}});
    }
    if (one.hasRaw)
        runners.push_back({QLatin1String(RawPeer), false, false, {}});
    return runners;
}

void Driver::run(const Case &one)
{
    std::vector<Runner> runners = runnersFor(one);
    for (int round = 0; round < one.rounds; ++round) {
        // Forth and back, so that nobody always comes after the same one.
        for (size_t i = 0; i < runners.size(); ++i) {
            const size_t at = round % 2 == 0 ? i : runners.size() - 1 - i;
            if (!runners[at].hasFailed)
                measure(one, runners[at]);
        }
    }
    addRows(one, runners);
}

void Driver::measure(const Case &one, Runner &runner)
{
    QJsonObject result = runTask(one.url, runner.name);
    if (!one.minus.isEmpty() && !result.contains(QLatin1String("error"))) {
        const QJsonObject minus = runTask(one.minus, runner.name);
        for (auto it = minus.begin(); it != minus.end(); ++it) {
            const bool isNumber = it->isDouble(); // or the error
            result[it.key()] = isNumber ? result[it.key()].toDouble() - it->toDouble() : QJsonValue(*it);
        }
    }
    if (result.contains(QLatin1String("error"))) {
        m_report.note(QStringLiteral("FAILED %1 %2, %3: %4")
                          .arg(one.bar, one.what, runner.name, result[QLatin1String("error")].toString()));
        ++m_failures;
        runner.hasFailed = true;
        return;
    }
    runner.results.push_back(result);
}

QJsonObject Driver::runTask(const QString &url, const QString &peer)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process.start(QCoreApplication::applicationFilePath(),
                  {QStringLiteral("--task"), url, peer, m_ports.first(), m_ports.last()});
    if (!process.waitForFinished(180'000)) {
        process.kill();
        process.waitForFinished();
        return {{QStringLiteral("error"), QStringLiteral("its process did not end")}};
    }
    const QJsonObject result = QJsonDocument::fromJson(process.readAllStandardOutput()).object();
    if (process.exitStatus() != QProcess::NormalExit ||
        (process.exitCode() != 0 && !result.contains(QLatin1String("error"))))
        return {
            {QStringLiteral("error"), QStringLiteral("its process ended with %1").arg(process.exitCode())}};
    return result;
}

void Driver::addRows(const Case &one, const std::vector<Runner> &runners)
{
    const auto values = [](const Runner &runner, const QString &key) {
        std::vector<double> list;
        for (const QJsonObject &result : runner.results)
            list.push_back(result[key].toDouble());
        return list;
    };
    const QString reference = QLatin1String(peers().front().name);
    for (const Figure &figure : one.figures) {
        std::vector<double> references;
        for (const Runner &runner : runners) {
            if (runner.hasFailed)
                continue;
            Row row;
            row.bar = one.bar;
            row.what = figure.what.isEmpty() ? one.what : one.what + QStringLiteral(": ") + figure.what;
            row.unit = figure.unit;
            row.who = runner.name;
            row.goal = runner.isJudged ? figure.goal : Goal{};
            row.runs = values(runner, figure.key);
            if (runner.name == reference)
                references = row.runs;
            else
                row.references = references;
            m_report.add(row);
        }
    }
}

} // namespace Bench
