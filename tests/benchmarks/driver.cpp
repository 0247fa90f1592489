// SPDX-License-Identifier: MIT
#include "driver.h"

#include "measure.h"
#include "peers.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QJsonDocument>
#include <QProcessEnvironment>
#include <QStandardPaths>

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

bool Driver::isWanted(const QString &name) const
{
    return m_words.isEmpty() || std::any_of(m_words.begin(), m_words.end(), [&name](const QString &word) {
               return name.contains(word, Qt::CaseInsensitive);
           });
}

QString Driver::pathOf(Program program) const
{
    switch (program) {
    case Program::Bench: return QCoreApplication::applicationFilePath();
    case Program::Quick:
        return QCoreApplication::applicationDirPath() + QStringLiteral("/everwire-bench-qml");
    case Program::Node: return QStandardPaths::findExecutable(QStringLiteral("node"));
    }
    return {};
}

bool Driver::isThere(Program program)
{
    if (const auto it = m_programs.find(program); it != m_programs.end())
        return it->second;
    bool isThere = QFileInfo(pathOf(program)).isExecutable();
    if (program == Program::Node)
        isThere = isThere && QFileInfo::exists(QStringLiteral(EVERWIRE_PEERS_DIR "/node_modules/ws"));
    if (!isThere)
        m_report.note(program == Program::Node
                          ? QStringLiteral("absent: node or its ws (npm ci in tests/peers)")
                          : QStringLiteral("absent: everwire-bench-qml, and what is measured in QML"));
    return m_programs[program] = isThere;
}

std::vector<Driver::Runner> Driver::runnersFor(const Case &one)
{
    std::vector<Contender> contenders = one.contenders;
    if (contenders.empty()) {
        for (const Peer &peer : peers()) {
            if ((peer.features & one.needs) == one.needs)
                contenders.push_back({QLatin1String(peer.name), (peer.features & Peer::Judged) != 0});
        }
    }
    if (one.hasRaw)
        contenders.push_back({QLatin1String(RawPeer)});
    std::vector<Runner> runners;
    for (const Contender &who : contenders) {
        const bool isReference = who.name == contenders.front().name;
        if ((isReference || who.name == QLatin1String(RawPeer) || isWanted(who.name)) && isThere(who.program))
            runners.push_back({who, false, {}});
    }
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
    QJsonObject result = runTask(one.url, runner.who);
    if (!one.minus.isEmpty() && !result.contains(QLatin1String("error"))) {
        const QJsonObject minus = runTask(one.minus, runner.who);
        for (auto it = minus.begin(); it != minus.end(); ++it) {
            const bool isNumber = it->isDouble(); // or the error
            result[it.key()] = isNumber ? result[it.key()].toDouble() - it->toDouble() : QJsonValue(*it);
        }
    }
    if (result.contains(QLatin1String("error"))) {
        m_report.note(
            QStringLiteral("FAILED %1 %2, %3: %4")
                .arg(one.bar, one.what, runner.who.name, result[QLatin1String("error")].toString()));
        ++m_failures;
        runner.hasFailed = true;
        return;
    }
    runner.results.push_back(result);
}

QJsonObject Driver::runTask(const QString &url, const Contender &who)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    QStringList arguments{QStringLiteral("--task"), url, who.name, m_ports.first(), m_ports.last()};
    if (who.program == Program::Node)
        arguments.prepend(QStringLiteral(EVERWIRE_PEERS_DIR "/bench-client.mjs"));
    if (who.program == Program::Quick) {
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
        environment.insert(QStringLiteral("QT_QUICK_BACKEND"), QStringLiteral("software"));
        // Qt says so where there is none.
        if (!environment.contains(QStringLiteral("XDG_RUNTIME_DIR")))
            environment.insert(QStringLiteral("XDG_RUNTIME_DIR"), m_runtime.path());
        process.setProcessEnvironment(environment);
    }
    process.start(pathOf(who.program), arguments);
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
    if (runners.empty())
        return;
    const QString reference = runners.front().who.name;
    for (const Figure &figure : one.figures) {
        std::vector<double> references;
        for (const Runner &runner : runners) {
            // The plain socket knows nothing but rates.
            if (runner.hasFailed || !runner.results.front().contains(figure.key))
                continue;
            Row row;
            row.bar = one.bar;
            row.what = figure.what.isEmpty() ? one.what : one.what + QStringLiteral(": ") + figure.what;
            row.unit = figure.unit;
            row.who = runner.who.name;
            row.goal = runner.who.isJudged ? figure.goal : Goal{};
            if (runner.who.bound > 0)
                row.goal.bound = runner.who.bound;
            row.runs = values(runner, figure.key);
            if (runner.who.name == reference)
                references = row.runs;
            else
                row.references = references;
            m_report.add(row);
        }
    }
}

} // namespace Bench
