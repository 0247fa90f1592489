// SPDX-License-Identifier: MIT
#include "report.h"

#include <algorithm>
#include <array>

namespace {

constexpr std::array verdicts = {Verdict::Ok, Verdict::NonStrict, Verdict::Informational,
                                 Verdict::Unimplemented, Verdict::Failed};

QByteArray row(const QList<QByteArray> &cells)
{
    return "| " + cells.join(" | ") + " |\n";
}

QByteArray head(const QList<QByteArray> &cells)
{
    return row(cells) + row(QList<QByteArray>(cells.size(), "---"));
}

const Outcome *find(const TransportResults &results, const Case &aCase)
{
    const auto found = results.outcomes.find(aCase.id);
    return found == results.outcomes.end() ? nullptr : &found->second;
}

// A case that ended badly counts as failed, whatever came before.
Verdict counted(const Outcome &outcome)
{
    return outcome.isGood() ? outcome.verdict : Verdict::Failed;
}

// How many there are of each verdict; group "": in all.
QList<QByteArray> counts(const TransportResults &results, const std::string &group)
{
    std::array<int, verdicts.size()> numbers{};
    for (const Case &aCase : allCases()) {
        const Outcome *outcome = find(results, aCase);
        if (outcome && (group.empty() || groupOf(aCase) == group))
            ++numbers[size_t(counted(*outcome))];
    }
    QList<QByteArray> cells;
    for (const int number : numbers)
        cells.append(number == 0 ? QByteArray("·") : QByteArray::number(number));
    return cells;
}

QByteArray summary(const TransportResults &results)
{
    QList<QByteArray> titles = {"Group", ""};
    for (const Verdict verdict : verdicts)
        titles.append(toString(verdict));
    QByteArray text = "\n## " + QByteArray::fromStdString(results.transport) + "\n\n" + head(titles);
    for (const Group &group : allGroups())
        text += row(QList<QByteArray>{group.id, group.title} + counts(results, group.id));
    text += row(QList<QByteArray>{"", "all"} + counts(results, {}));
    if (!results.reasons.empty())
        text += "\nWhat it does not pass, and why:\n\n";
    for (const auto &[cases, why] : results.reasons)
        text.append("- ").append(cases.c_str()).append(": ").append(why.c_str()).append("\n");
    return text;
}

QByteArray described(const Outcome *outcome)
{
    if (!outcome)
        return "not run";
    QByteArray text = toString(outcome->verdict);
    if (outcome->ending != Ending::Ok && outcome->ending != Ending::Informational)
        text += QByteArray(", ") + toString(outcome->ending);
    return outcome->isGood() ? text : "**" + text + "**";
}

QByteArray groupTable(const Group &group, const std::vector<TransportResults> &all)
{
    QList<QByteArray> titles = {"Case", "What the server sends"};
    for (const TransportResults &results : all)
        titles << QByteArray::fromStdString(results.transport) << "code";
    QByteArray text = "\n## " + QByteArray(group.id) + ". " + group.title + "\n\n" + head(titles);
    for (const Case &aCase : allCases()) {
        if (groupOf(aCase) != group.id)
            continue;
        QList<QByteArray> cells = {QByteArray::fromStdString(aCase.id),
                                   QByteArray::fromStdString(aCase.checks)};
        for (const TransportResults &results : all) {
            const Outcome *outcome = find(results, aCase);
            cells << described(outcome)
                  << (outcome && outcome->closeCode > 0 ? QByteArray::number(outcome->closeCode) : "–");
        }
        text += row(cells);
    }
    return text;
}

} // namespace

const char *toString(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Ok: return "OK";
    case Verdict::NonStrict: return "non-strict";
    case Verdict::Informational: return "informational";
    case Verdict::Unimplemented: return "unimplemented";
    case Verdict::Failed: return "failed";
    }
    return "";
}

const char *toString(Ending ending)
{
    switch (ending) {
    case Ending::Ok: return "closed well";
    case Ending::WrongSide: return "closed by the wrong side";
    case Ending::Unclean: return "not closed cleanly";
    case Ending::WrongCode: return "closed with a wrong code";
    case Ending::Informational: return "informational";
    }
    return "";
}

QByteArray conformanceReport(const std::vector<TransportResults> &results)
{
    QByteArray text =
        "# Conformance\n\n"
        "Made by `EVERWIRE_CONFORMANCE_ROUNDS=" +
        QByteArray::number(roundsPerCase()) +
        " EVERWIRE_CONFORMANCE_REPORT=docs/conformance.md build/release/bin/tst_conformance`. Do not "
        "edit.\n\n"
        "The " +
        QByteArray::number(allCases().size()) +
        " cases of the [Autobahn WebSocket testsuite](https://github.com/crossbario/autobahn-testsuite) for "
        "a client, "
        "written anew in `tests/conformance`, with its numbers and its verdicts. Groups 9.7, 9.8, 12 and 13 "
        "sent " +
        QByteArray::number(roundsPerCase()) +
        " messages each (Autobahn: 1000).\n\n"
        "- **OK**: as the RFC wants it. **non-strict**: allowed, though not the best. **informational**: the "
        "RFC does "
        "not say. **unimplemented**: the client does not offer the compression that the case needs.\n"
        "- **failed**: not what the RFC wants, or the connection was not closed as it must.\n"
        "- **code**: of the client's Close frame; –: it sent none, or one without a code.\n";
    for (const TransportResults &transport : results)
        text += summary(transport);
    for (const Group &group : allGroups())
        text += groupTable(group, results);
    return text;
}
