// SPDX-License-Identifier: MIT
#include "cases.h"

#include "amounts.h"
#include "peers.h"

namespace Bench {

namespace {

struct Load
{
    const char *path; // "receive" or "send"
    const char *kind;
    int size;
    bool tls;
    int count;
    double goal; // the least ratio of rates; 0: none
};

Case throughput(const char *bar, const Load &load, const Amounts &amounts)
{
    const bool sends = QLatin1String(load.path) == QLatin1String("send");
    const QString kind = QLatin1String(load.kind);
    const QString what =
        QStringLiteral("%1 %2 %3%4%5")
            .arg(sends ? QStringLiteral("send") : QStringLiteral("receive"), sizeName(load.size), kind,
                 sends || kind == QLatin1String("binary") ? QString() : QStringLiteral(", type found"),
                 load.tls ? QStringLiteral(", TLS") : QString());
    Case one;
    one.bar = QLatin1String(bar);
    one.what = what;
    one.url = QStringLiteral("/%1?kind=%2&size=%3&count=%4&tls=%5")
                  .arg(QLatin1String(load.path), kind)
                  .arg(load.size)
                  .arg(amounts.messages(load.count))
                  .arg(load.tls ? 1 : 0);
    one.hasRaw = true;
    one.rounds = amounts.rounds(5, 2);
    const Goal goal = load.goal > 0 ? Goal{Goal::RatioAtLeast, load.goal} : Goal{};
    one.figures = {{QStringLiteral("rate"), {}, PerSecond, goal},
                   {QStringLiteral("cpu"), QStringLiteral("client's CPU each"), Micro, {}}};
    return one;
}

Case roundTrip(bool tls, const Amounts &amounts)
{
    Case one;
    one.bar = QStringLiteral("T4");
    one.what = QStringLiteral("round trip 256 B") + (tls ? QStringLiteral(", TLS") : QString());
    one.url = QStringLiteral("/echo?kind=text&size=256&count=%1&tls=%2")
                  .arg(amounts.messages(20'000))
                  .arg(tls ? 1 : 0);
    one.rounds = amounts.rounds(11, 3);
    const Goal goal = tls ? Goal{} : Goal{Goal::RatioAtMost, 1.05};
    one.figures = {{QStringLiteral("p50"), QStringLiteral("p50"), Micro, goal},
                   {QStringLiteral("p99"), QStringLiteral("p99"), Micro, goal},
                   {QStringLiteral("cpu"), QStringLiteral("client's CPU each"), Micro, {}}};
    return one;
}

Case idle(bool tls, bool wasBusy, const Amounts &amounts)
{
    const int connections = amounts.pick(200, 200, 4);
    Case one;
    one.bar = QStringLiteral("T5");
    one.what = QStringLiteral("memory of one of %1 idle connections").arg(connections) +
               (wasBusy ? QStringLiteral(", after 64 KiB of text") : QString()) +
               (tls ? QStringLiteral(", TLS") : QString());
    one.url = (wasBusy ? QStringLiteral("/receive?kind=text&size=4096&count=16")
                       : QStringLiteral("/idle?count=0")) +
              QStringLiteral("&connections=%1&tls=%2").arg(connections).arg(tls ? 1 : 0);
    one.rounds = amounts.rounds(5, 1); // they hardly differ
    one.figures = {{QStringLiteral("memory"), {}, QStringLiteral("KiB"), {Goal::RatioAtMost, 1.0}}};
    return one;
}

Case paused(bool tls, const Amounts &amounts)
{
    constexpr int size = 4096;
    const int mebibytes = amounts.pick(1024, 256, 4);
    const int pause = amounts.pick(10'000, 1500, 100);
    Case one;
    one.bar = QStringLiteral("T6");
    one.what = QStringLiteral("%1 MiB, paused for %2 s in the middle%3: memory grows by")
                   .arg(mebibytes)
                   .arg(pause / 1000.0)
                   .arg(tls ? QStringLiteral(", TLS") : QString());
    one.url = QStringLiteral("/receive?kind=binary&size=%1&count=%2&numbered=1&pause=%3&tls=%4")
                  .arg(size)
                  .arg(mebibytes * (1024 * 1024 / size))
                  .arg(pause)
                  .arg(tls ? 1 : 0);
    one.needs = Peer::Pauses;
    one.rounds = 1;
    // The pieces of some buffers, and nothing that knows how long the stream or the pause is.
    one.figures = {{QStringLiteral("growth"), {}, QStringLiteral("MiB"), {Goal::ValueAtMost, 8}}};
    return one;
}

Case deflated(const char *path, int count, double most, const Amounts &amounts)
{
    const QString url = QStringLiteral("/%1?kind=text&size=256&count=%2")
                            .arg(QLatin1String(path))
                            .arg(amounts.messages(count));
    Case one;
    one.bar = QStringLiteral("T7");
    one.what = QStringLiteral("%1 256 B text, deflated").arg(QLatin1String(path));
    one.url = url + QStringLiteral("&deflate=1");
    one.minus = url;
    one.needs = Peer::Compresses;
    one.rounds = amounts.rounds(5, 2);
    one.figures = {{QStringLiteral("cpu"),
                    QStringLiteral("CPU each, more than uncompressed"),
                    Micro,
                    {Goal::ValueAtMost, most}}};
    return one;
}

// What share of its bytes a compressed stream has on the wire.
Case deflatedShare(const Amounts &amounts)
{
    Case one;
    one.bar = QStringLiteral("T7");
    one.what = QStringLiteral("send 256 B text, deflated: on the wire");
    one.url = QStringLiteral("/send?kind=text&size=256&deflate=1&count=%1").arg(amounts.messages(100'000));
    one.needs = Peer::Compresses;
    one.rounds = 1;
    one.figures = {{QStringLiteral("wire"), {}, QStringLiteral("%"), {Goal::ValueAtMost, 30}}};
    return one;
}

} // namespace

std::vector<Case> transportCases(Scale scale)
{
    const Amounts amounts(scale);
    std::vector<Case> cases;
    const auto add = [&](const char *bar, const Load &load) {
        cases.push_back(throughput(bar, load, amounts));
    };
    add("T1", {"receive", "text", 256, false, 2'000'000, 3});
    add("T1", {"receive", "text", 4096, false, 200'000, 6});
    add("T1", {"receive", "text", 256, true, 1'500'000, 2});
    add("T1", {"receive", "text", 4096, true, 150'000, 3});
    add("T2", {"send", "text", 256, false, 2'000'000, 3});
    add("T2", {"send", "text", 256, true, 1'500'000, 1.4});
    add("T2", {"send", "binary", 3200, false, 500'000, 0});
    add("T2", {"send", "binary", 3200, true, 200'000, 0});
    add("T3", {"receive", "binary", 3200, false, 1'000'000, 0.95});
    add("T3", {"receive", "binary", 65536, false, 60'000, 0.95});
    add("T3", {"receive", "binary", 3200, true, 200'000, 0});
    add("T3", {"receive", "binary", 65536, true, 10'000, 0});
    cases.push_back(roundTrip(false, amounts));
    cases.push_back(roundTrip(true, amounts));
    for (bool wasBusy : {false, true}) {
        cases.push_back(idle(false, wasBusy, amounts));
        cases.push_back(idle(true, wasBusy, amounts));
    }
    cases.push_back(paused(false, amounts));
    cases.push_back(paused(true, amounts));
    cases.push_back(deflatedShare(amounts));
    cases.push_back(deflated("send", 200'000, 5, amounts));
    cases.push_back(deflated("receive", 1'000'000, 1, amounts));
    return cases;
}

} // namespace Bench
