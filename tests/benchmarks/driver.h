// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"
#include "report.h"

#include <QJsonObject>
#include <QProcess>
#include <QString>

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
        QString name;
        bool isJudged = false;
        bool hasFailed = false; // and is left out from then on
        std::vector<QJsonObject> results;
    };

    [[nodiscard]] std::vector<Runner> runnersFor(const Case &one) const;
    void measure(const Case &one, Runner &runner);
    QJsonObject runTask(const QString &url, const QString &peer);
    void addRows(const Case &one, const std::vector<Runner> &runners);

    QStringList m_words;
    QProcess m_server;
    QStringList m_ports;
    Report m_report;
    int m_failures = 0;
};

} // namespace Bench
