// SPDX-License-Identifier: MIT
#include "amounts.h"
#include "apps.h"
#include "beastpeer.h"
#include "cases.h"
#include "livecases.h"

namespace Bench {

namespace {

QString name(const char *latin1)
{
    return QString::fromLatin1(latin1);
}

QString uiUrl(int rate, const Amounts &amounts)
{
    const int seconds = amounts.pick(rate < 50'000 ? 2 : 3, 1, 0);
    return QStringLiteral("/receive?kind=text&size=256&count=%1&rate=%2&marks=1&wait=100&measure=ui")
        .arg(seconds > 0 ? rate * seconds : 100)
        .arg(rate);
}

// The main thread's work beside a stream of that many 256 B events a second; the bar is about 50,000.
Case uiWork(int rate, const Amounts &amounts)
{
    const bool isBar = rate == 50'000;
    Case one;
    one.bar = QStringLiteral("P1");
    one.what = QStringLiteral("256 B events, %1 k a second to one typed subscriber").arg(rate / 1000);
    one.url = uiUrl(rate, amounts);
    one.contenders = {{name(QwsJson)}, {name(Library), isBar}, {name(LibraryUnread)}};
    one.hasRaw = isBar;
    one.rounds = isBar ? amounts.rounds(5, 2) : 2;
    one.figures = {
        {QStringLiteral("ui"), QStringLiteral("UI thread's CPU each"), Micro, {Goal::RatioAtMost, 0.10}},
        {QStringLiteral("late"), QStringLiteral("latest tick"), Milli, {}}};
    if (isBar)
        one.figures.push_back({QStringLiteral("rate"), QStringLiteral("they come at"), PerSecond, {}});
    return one;
}

// lead: so many more have come before.
Case burst(const Amounts &amounts, int lead = 0)
{
    const int count = amounts.pick(50'000, 50'000, 100);
    Case one;
    one.bar = QStringLiteral("P4");
    one.what = QStringLiteral("%1 events at once, C++: latest tick").arg(count);
    one.url = QStringLiteral("/receive?kind=text&size=256&count=%1&lead=%2&marks=1&wait=300&measure=burst")
                  .arg(count + lead)
                  .arg(lead);
    one.contenders = {{name(QwsJson)}, {name(Library), true}, {name(LibraryUnread)}};
    one.rounds = amounts.rounds(7, 2);
    one.figures = {{QStringLiteral("late"), {}, Milli, {Goal::ValueAtMost, 8}}};
    return one;
}

// The same for a page of QML.
Case pageWork(const char *bar, const char *delivery, int rate, double goal, const Amounts &amounts)
{
    const bool isBar = rate == 50'000;
    Case one;
    one.bar = QLatin1String(bar);
    one.what = QStringLiteral("256 B events, %1 k a second to a Subscription in QML, %2")
                   .arg(rate / 1000)
                   .arg(QLatin1String(delivery));
    one.url = uiUrl(rate, amounts) + QStringLiteral("&delivery=") + QLatin1String(delivery);
    one.contenders = {{name(QmlWs), false, Program::Quick}, {name(Library), isBar, Program::Quick}};
    one.rounds = isBar ? amounts.rounds(5, 2) : 2;
    one.figures = {
        {QStringLiteral("ui"), QStringLiteral("UI thread's CPU each"), Micro, {Goal::RatioAtMost, goal}},
        {QStringLiteral("late"), QStringLiteral("latest tick"), Milli, {}}};
    return one;
}

// The view has its rows before: to make the first ones is not what is measured.
Case pageBurst(const Amounts &amounts)
{
    Case one = burst(amounts, amounts.pick(500, 500, 100));
    one.what = one.what.replace(QStringLiteral("C++"), QStringLiteral("QML with a ListView"));
    one.url += QStringLiteral("&view=1");
    one.contenders = {{name(QmlWs), false, Program::Quick},
                      {name(Library), true, Program::Quick},
                      {name(ListAlone), false, Program::Quick}};
    return one;
}

struct Stream
{
    const char *kind;
    int size;
    int count;
};

Case routed(const Stream &stream, const Amounts &amounts)
{
    const bool isText = QLatin1String(stream.kind) == QLatin1String("text");
    const bool isBar = isText && stream.size == 256;
    Case one;
    one.bar = QStringLiteral("P5");
    one.what = QStringLiteral("%1 %2%3").arg(sizeName(stream.size), QLatin1String(stream.kind),
                                             isText ? QStringLiteral(" routed, two fields read")
                                                    : QStringLiteral(" received"));
    one.url = QStringLiteral("/receive?kind=%1&size=%2&count=%3&measure=route")
                  .arg(QLatin1String(stream.kind))
                  .arg(stream.size)
                  .arg(amounts.messages(stream.count));
    one.contenders = {{name(isText ? QwsJson : QWebSocketOnly)},
                      {name(Library), isBar},
                      {name(LibraryQws), isBar, Program::Bench, 3}};
    if (isText) {
        one.contenders.push_back({name(LibraryUnread)});
        one.contenders.push_back({name(QWebSocketOnly)});
    }
#ifdef EVERWIRE_BENCH_BEAST
    one.contenders.push_back({name(BeastPeer)});
#endif
    one.contenders.push_back({QStringLiteral("node's ws"), false, Program::Node});
    one.hasRaw = true;
    one.rounds = amounts.rounds(5, 2);
    one.figures = {{QStringLiteral("rate"), {}, PerSecond, {Goal::RatioAtLeast, 10}},
                   {QStringLiteral("cpu"), QStringLiteral("client's CPU each"), Micro, {}}};
    return one;
}

} // namespace

std::vector<Case> libraryCases(Scale scale)
{
    const Amounts amounts(scale);
    std::vector<Case> cases;
    const auto addUiWork = [&](int rate) {
        cases.push_back(uiWork(rate, amounts));
        cases.push_back(pageWork("P2", "latest", rate, 0.02, amounts));
        cases.push_back(pageWork("P3", "each", rate, 0.20, amounts));
    };
    if (scale == Scale::Full) {
        for (int rate : {1000, 5000, 20'000})
            addUiWork(rate);
    }
    addUiWork(50'000);
    cases.push_back(burst(amounts));
    cases.push_back(pageBurst(amounts));
    cases.push_back(routed({"text", 256, 400'000}, amounts));
    cases.push_back(routed({"text", 4096, 60'000}, amounts));
    cases.push_back(routed({"binary", 3200, 100'000}, amounts));
    cases.push_back(routed({"binary", 65536, 10'000}, amounts));
    const std::vector<Case> live = liveCases(amounts);
    cases.insert(cases.end(), live.begin(), live.end());
    return cases;
}

} // namespace Bench
