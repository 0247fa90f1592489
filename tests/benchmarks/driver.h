// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"
#include "report.h"

#include <QJsonObject>
#include <QProcess>
#include <QString>
#include <QTemporaryDir>

#include <map>
#include <vector>

namespace Bench {

// Runs cases, every task in a process of its own, the peers in turn; the load server runs beside them.
class Driver
{
public:
    // The peers whose names hold one of these words; none: all. The reference always takes part.
    explicit Driver(const QStringList &words);
    ~Driver();
    Q_DISABLE_COPY_MOVE(Driver)

    bool startServer();
    void run(const Case &one);

    [[nodiscard]] const Report &report() const { return m_report; }
    // Tasks that lost something or did not end.
    [[nodiscard]] int failures() const { return m_failures; }

private:
    struct Runner
    {
        Contender who;
        bool hasFailed = false; // and is left out from then on
        std::vector<QJsonObject> results;
    };

    std::vector<Runner> runnersFor(const Case &one);
    void measure(const Case &one, Runner &runner);
    QJsonObject runTask(const QString &url, const Contender &who);
    [[nodiscard]] bool isWanted(const QString &name) const;
    // Whether its program is there; says so once where it is not.
    bool isThere(Program program);
    [[nodiscard]] QString pathOf(Program program) const;
    void addRows(const Case &one, const std::vector<Runner> &runners);

    QStringList m_words;
    QProcess m_server;
    QStringList m_ports;
    Report m_report;
    std::map<Program, bool> m_programs;
    QTemporaryDir m_runtime; // only its user's
    int m_failures = 0;
};

} // namespace Bench
