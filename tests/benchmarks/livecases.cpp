// SPDX-License-Identifier: MIT
#include "livecases.h"

#include "amounts.h"
#include "apps.h"

#include <Everwire/ConnectionConfig>

namespace Bench {

namespace {

std::vector<Contender> besideQWebSocket()
{
    return {{QString::fromLatin1(QWebSocketOnly)}, {QString::fromLatin1(Library), true}};
}

std::vector<Contender> alone()
{
    return {{QString::fromLatin1(Library), true}};
}

Case roundTrip(const Amounts &amounts)
{
    Case one;
    one.bar = QStringLiteral("P6");
    one.what = QStringLiteral("round trip 256 B by the public API");
    one.url = QStringLiteral("/echo?kind=text&size=256&count=%1").arg(amounts.messages(20'000));
    one.contenders = besideQWebSocket();
    one.contenders.push_back({QString::fromLatin1(QWebSocketThreaded)});
    one.rounds = amounts.rounds(7, 3);
    one.figures = {{QStringLiteral("p50"), QStringLiteral("p50"), Micro, {Goal::RatioAtMost, 1.25}},
                   {QStringLiteral("p99"), QStringLiteral("p99"), Micro, {Goal::RatioAtMost, 1.5}}};
    return one;
}

Case pongs(int busy, const Amounts &amounts)
{
    Case one;
    one.bar = QStringLiteral("P7");
    one.what =
        QStringLiteral("ping to pong as the server sees it, UI thread %1")
            .arg(busy > 0 ? QStringLiteral("busy %1 of every 16 ms").arg(busy) : QStringLiteral("idle"));
    one.url = QStringLiteral("/ping?count=%1&every=7&busy=%2").arg(amounts.pick(600, 200, 20)).arg(busy);
    one.contenders = besideQWebSocket();
    one.rounds = amounts.rounds(5, 2);
    one.figures = {{QStringLiteral("p50"), QStringLiteral("p50"), Micro, {}},
                   {QStringLiteral("p99"), QStringLiteral("p99"), Micro, {}}};
    return one;
}

Case heartbeats(const Amounts &amounts)
{
    Case one;
    one.bar = QStringLiteral("P7");
    one.what = QStringLiteral("a heartbeat every 100 ms, UI thread busy 12 of every 16 ms");
    one.url = QStringLiteral("/listen?time=%1&heartbeat=100&busy=12").arg(amounts.pick(10'000, 2000, 500));
    one.contenders = alone();
    one.rounds = amounts.rounds(3, 1);
    one.figures = {{QStringLiteral("missed"), QStringLiteral("missed"), {}, {Goal::ValueAtMost, 0}},
                   {QStringLiteral("pings"), QStringLiteral("sent"), {}, {}}};
    return one;
}

Case sending(const char *kind, int size, int count, const Amounts &amounts)
{
    Case one;
    one.bar = QStringLiteral("P8");
    one.what = QStringLiteral("send %1 %2 by the public API").arg(sizeName(size), QLatin1String(kind));
    one.url = QStringLiteral("/send?kind=%1&size=%2&count=%3")
                  .arg(QLatin1String(kind))
                  .arg(size)
                  .arg(amounts.messages(count));
    one.contenders = besideQWebSocket();
    one.hasRaw = true;
    one.rounds = amounts.rounds(5, 2);
    one.figures = {{QStringLiteral("rate"), {}, PerSecond, {Goal::RatioAtLeast, 0.9}},
                   {QStringLiteral("cpu"), QStringLiteral("client's CPU each"), Micro, {}}};
    return one;
}

Case stalled(const Amounts &amounts)
{
    const int mebibytes = amounts.pick(128, 64, 4);
    const double bound = double(Everwire::ConnectionConfig().maxQueuedBytes()) / (1024 * 1024);
    Case one;
    one.bar = QStringLiteral("P8");
    one.what = QStringLiteral("%1 MiB sent to a peer that reads nothing: memory grows by").arg(mebibytes);
    one.url =
        QStringLiteral("/stall?kind=text&size=4096&time=5000&count=%1").arg(mebibytes * (1024 * 1024 / 4096));
    one.contenders = besideQWebSocket();
    one.rounds = 1;
    one.figures = {{QStringLiteral("growth"), {}, Mebi, {Goal::ValueAtMost, bound + 8}}};
    return one;
}

Case oneMore(const Amounts &amounts)
{
    const int connections = amounts.pick(200, 200, 4);
    Case one;
    one.bar = QStringLiteral("P9");
    one.what = QStringLiteral("memory of one of %1 idle connections, by the public API").arg(connections);
    one.url = QStringLiteral("/idle?count=0&connections=%1").arg(connections);
    one.contenders = besideQWebSocket();
    one.rounds = amounts.rounds(5, 2);
    one.figures = {{QStringLiteral("memory"), {}, QStringLiteral("KiB"), {Goal::RatioAtMost, 1.0}}};
    return one;
}

Case history(const Amounts &amounts)
{
    const int count = amounts.pick(100'000, 100'000, 100);
    Case one;
    one.bar = QStringLiteral("P9");
    one.what = QStringLiteral("%1 messages into a history of 1000: memory grows by").arg(count);
    one.url = QStringLiteral("/receive?kind=text&size=256&count=%1&rate=50000&growth=1").arg(count);
    one.contenders = alone();
    one.rounds = amounts.rounds(3, 1);
    one.figures = {{QStringLiteral("growth"), {}, Mebi, {Goal::ValueAtMost, 8}}};
    return one;
}

Case asleep(const Amounts &amounts)
{
    Case one;
    one.bar = QStringLiteral("P10");
    one.what = QStringLiteral("10 idle connections, heartbeats far apart: wake-ups");
    // Longer than stableAfter, whose timer runs once for each.
    one.url = QStringLiteral("/idle?connections=10&wakeups=%1&settle=%2")
                  .arg(amounts.pick(10'000, 3000, 200))
                  .arg(amounts.pick(6000, 6000, 100));
    one.contenders = besideQWebSocket();
    one.rounds = amounts.rounds(3, 1);
    one.figures = {{QStringLiteral("wakeups"), {}, QStringLiteral("/s"), {Goal::ValueAtMost, 0.5}}};
    return one;
}

Case crowd(const Amounts &amounts)
{
    const int connections = amounts.pick(1000, 1000, 20);
    Case one;
    one.bar = QStringLiteral("P11");
    one.what = QStringLiteral("%1 connections, 10 messages a second each").arg(connections);
    one.url = QStringLiteral("/receive?kind=text&size=256&count=%1&rate=10&auth=1&crowd=%2")
                  .arg(amounts.pick(100, 40, 3))
                  .arg(connections);
    one.contenders = alone();
    one.rounds = amounts.rounds(3, 1);
    one.figures = {{QStringLiteral("failures"), QStringLiteral("failures"), {}, {Goal::ValueAtMost, 0}},
                   {QStringLiteral("threads"), QStringLiteral("threads more"), {}, {Goal::ValueAtMost, 1}},
                   {QStringLiteral("late"), QStringLiteral("latest tick"), Milli, {Goal::ValueAtMost, 16}},
                   {QStringLiteral("opening"), QStringLiteral("until all are open"), Milli, {}}};
    return one;
}

} // namespace

std::vector<Case> liveCases(const Amounts &amounts)
{
    return {roundTrip(amounts),
            pongs(0, amounts),
            pongs(12, amounts),
            heartbeats(amounts),
            sending("text", 256, 1'000'000, amounts),
            sending("binary", 3200, 200'000, amounts),
            stalled(amounts),
            oneMore(amounts),
            history(amounts),
            asleep(amounts),
            crowd(amounts)};
}

} // namespace Bench
