// SPDX-License-Identifier: MIT
//
// everwire-chaos: random faults and random use of a connection, checked against the model step by
// step, or with --crowd of several connections, checked by a ledger. A seed that fails fails again:
// everwire-chaos --seed N --trace.
#include "crowd.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QElapsedTimer>

#include <cstdio>

namespace {

struct Totals
{
    int seeds = 0;
    qint64 steps = 0;
    int failed = 0;
    QMap<QString, qint64> did;
};

QByteArray hashOf(const Chaos::Run &run)
{
    return run.hash();
}

QByteArray hashOf(const Chaos::Crowd &)
{
    return {};
}

template<typename Run>
void runSeed(quint64 seed, int steps, bool trace, Totals *totals)
{
    const Chaos::LogKeeper log;
    Run run(seed, trace);
    const std::optional<Chaos::Violation> violation = run.go(steps);
    ++totals->seeds;
    const auto &did = run.did();
    for (auto it = did.cbegin(); it != did.cend(); ++it) {
        totals->steps += it.value();
        totals->did[it.key()] += it.value();
    }
    if (violation) {
        ++totals->failed;
        std::printf("VIOLATION %s\n", qPrintable(violation->toString()));
    } else if (const QByteArray hash = hashOf(run); trace && !hash.isEmpty()) {
        std::printf("trace %s\n", hash.constData());
    }
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Random faults against a model of docs/behaviour.md."));
    parser.addHelpOption();
    const auto option = [&parser](const char *name, const char *help, const char *value = "") {
        const QCommandLineOption made(QString::fromLatin1(name), QString::fromLatin1(help),
                                      QString::fromLatin1(value));
        parser.addOption(made);
        return made;
    };
    const auto seed = option("seed", "Run this seed (or begin with it).", "N");
    const auto seeds = option("seeds", "Run so many seeds, one after the other.", "N");
    const auto minutes = option("minutes", "Run seeds for so long.", "M");
    const auto crowd = option("crowd", "Several connections at once, against a ledger instead of the model.");
    const auto steps = option("steps", "Steps of each seed (400).", "N");
    const auto trace = option("trace", "Print each step and what was heard, and the trace's hash.");
    parser.process(app);

    const auto number = [&parser](const QCommandLineOption &of, double fallback) {
        return parser.isSet(of) ? parser.value(of).toDouble() : fallback;
    };
    const bool timed = parser.isSet(minutes);
    const auto first = quint64(number(seed, 1));
    const auto count = quint64(number(seeds, 1));
    const auto until = qint64(number(minutes, 0) * 60'000);
    Totals totals;
    QElapsedTimer clock;
    clock.start();
    for (quint64 i = 0; totals.failed < 5 && (timed ? clock.elapsed() < until : i < count); ++i)
        (parser.isSet(crowd) ? runSeed<Chaos::Crowd> : runSeed<Chaos::Run>)(first + i,
                                                                            int(number(steps, 400)),
                                                                            parser.isSet(trace), &totals);
    std::printf("%d seeds from %llu, %lld steps, %d with a violation, %.1f s\n", totals.seeds,
                static_cast<unsigned long long>(first), static_cast<long long>(totals.steps), totals.failed,
                double(clock.elapsed()) / 1000);
    for (auto it = totals.did.cbegin(); it != totals.did.cend(); ++it)
        std::printf("  %-14s %lld\n", qPrintable(it.key()), static_cast<long long>(it.value()));
    return totals.failed > 0 ? 1 : 0;
}
