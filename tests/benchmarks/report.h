// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"

#include <QJsonArray>
#include <QString>

#include <optional>
#include <vector>

namespace Bench {

double median(std::vector<double> values);

// A figure of one peer, beside the reference's of the same rounds.
struct Row
{
    QString bar;
    QString what;
    QString unit;
    QString who;
    Goal goal; // Nothing where this peer is not judged
    std::vector<double> runs;
    std::vector<double> references; // empty for the reference itself, and where it cannot do that

    [[nodiscard]] double value() const { return median(runs); }
    // The median of the rounds' ratios: what disturbs a whole round disturbs both.
    [[nodiscard]] std::optional<double> ratio() const;
    [[nodiscard]] std::optional<bool> isMet() const;
};

class Report
{
public:
    void add(const Row &row);
    // A line of the table, now.
    void note(const QString &text);
    [[nodiscard]] QJsonArray toJson() const;
    // How many goals there are, and how many are met.
    void printSummary() const;

private:
    std::vector<Row> m_rows;
    QString m_lastWhat;
};

} // namespace Bench
