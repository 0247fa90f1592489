// SPDX-License-Identifier: MIT
//
// Each of our transports plays the client in the Autobahn testsuite's cases. Environment:
//   EVERWIRE_CONFORMANCE_ROUNDS   messages of each case in the groups 9.7, 9.8, 12 and 13: 50 without it
//   EVERWIRE_CONFORMANCE_PATH     what is between the server and the client: "tls", "sliced" (a proxy that passes one byte
//                                 after the other) or "tls sliced"; nothing without it. No case may be worse for it
//   EVERWIRE_CONFORMANCE_REPORT   a file to write the results to, as Markdown
//   EVERWIRE_CONFORMANCE_PORT     plays the cases to whoever connects there, one a connection, and not to our
//                                 transports: shows with another client (tests/peers/echo-client.mjs) that the
//                                 cases are right
#include "cases.h"
#include "caseserver.h"
#include "echoclient.h"
#include "report.h"

#include "support/faultproxy.h"
#include "support/transports.h"

#include <QEventLoop>
#include <QFile>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

// Cases that a transport does not pass, and why.
struct KnownFailure
{
    std::string cases; // the id of one, or "12.*"
    std::string why;

    [[nodiscard]] bool isOf(const Case &aCase) const
    {
        if (cases.back() != '*')
            return aCase.id == cases;
        return aCase.id.compare(0, cases.size() - 1, cases, 0, cases.size() - 1) == 0;
    }
};

struct TransportUnderTest
{
    const char *name;
    std::unique_ptr<Transport> (*make)(); // nullptr: it connects by itself
    std::vector<KnownFailure> failures;
    std::set<std::string> nonStrict; // the cases in which it does what is allowed and not the best

    [[nodiscard]] const KnownFailure *knownFailure(const Case &aCase) const
    {
        const auto found =
            std::find_if(failures.begin(), failures.end(),
                         [&aCase](const KnownFailure &failure) { return failure.isOf(aCase); });
        return found == failures.end() ? nullptr : &*found;
    }
};

constexpr auto cutsCodePoints = "QWebSocket refuses a text that is fragmented within a code point";

quint16 portForOthers()
{
    return quint16(qEnvironmentVariableIntValue("EVERWIRE_CONFORMANCE_PORT"));
}

const std::vector<TransportUnderTest> &transports()
{
    static const std::vector<TransportUnderTest> others = {{"another client", nullptr, {}, {}}};
    static const std::vector<TransportUnderTest> ours = {
        {"FrameTransport", made<FrameTransport>, {}, {}},
        {"QWebSocket",
         made<QWebSocketTransport>,
         {
             {"6.2.3", cutsCodePoints},
             {"6.2.4", cutsCodePoints},
             {"6.4.2", cutsCodePoints},
             {"12.*", "QWebSocket does not compress"},
             {"13.*", "QWebSocket does not compress"},
         },
         {"6.4.3", "6.4.4"}}, // it looks at whole frames
    };
    return portForOthers() > 0 ? others : ours;
}

bool isOnPath(const char *what)
{
    return qgetenv("EVERWIRE_CONFORMANCE_PATH").split(' ').contains(what);
}

CaseServer::Security security()
{
    return isOnPath("tls") ? CaseServer::Security::Tls : CaseServer::Security::Plain;
}

// What the server sends, or would if it could count on the client.
qsizetype bytesOf(const Case &aCase)
{
    const Script script = aCase.script();
    qsizetype bytes = 0;
    for (const Step &step : script.steps)
        bytes += step.bytes.size();
    return bytes + (script.rounds ? script.rounds->size * roundsPerCase() : 0);
}

// A slice costs two turns of the event loop, some 20 µs: a megabyte, and its echo, would take a minute. What is left out
// differs from what is played in nothing but its size; group 1 has frames with a length of each form. Behind TLS our code
// sees whole records, however they came: there the framing alone will do.
bool canBeSliced(const Case &aCase)
{
    const std::string group = groupOf(aCase);
    if (isOnPath("tls"))
        return std::set<std::string>{"6", "12", "13"}.count(group) == 0 && bytesOf(aCase) <= 2'000;
    return group == "1" || bytesOf(aCase) <= 10'000;
}

bool isPlayed(const Case &aCase)
{
    return !isOnPath("sliced") || canBeSliced(aCase);
}

std::string described(const Outcome &outcome)
{
    return std::string(toString(outcome.verdict)) + ", " + toString(outcome.ending) + ", code " +
           std::to_string(outcome.closeCode) + (outcome.why.empty() ? "" : ": " + outcome.why);
}

} // namespace

class tst_Conformance : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void thereAreAllCases();
    void onlyLargeCasesAreLeftOut();
    void cases_data();
    void cases();
    void cleanupTestCase();

private:
    Outcome run(const TransportUnderTest &transport, const Case &aCase);

    CaseServer m_server{portForOthers(), security()};
    std::optional<TrustInRawServer> m_trust;
    std::optional<FaultProxy> m_slicer;
    std::vector<TransportResults> m_results;
};

void tst_Conformance::thereAreAllCases()
{
    std::map<std::string, int> counts;
    std::set<std::string> ids;
    for (const Case &aCase : allCases()) {
        ++counts[groupOf(aCase)];
        ids.insert(aCase.id);
    }
    const std::map<std::string, int> autobahns = {{"1", 16}, {"2", 11},  {"3", 7},   {"4", 10},
                                                  {"5", 20}, {"6", 145}, {"7", 37},  {"9", 54},
                                                  {"10", 1}, {"12", 90}, {"13", 126}};
    QVERIFY(counts == autobahns);
    QCOMPARE(ids.size(), size_t(517));
}

void tst_Conformance::onlyLargeCasesAreLeftOut()
{
    std::map<std::string, int> played;
    for (const Case &aCase : allCases())
        played[groupOf(aCase)] += isPlayed(aCase) ? 1 : 0;
    for (const char *group : {"2", "3", "4", "5"}) {
        for (const Case &aCase : allCases())
            QVERIFY2(isPlayed(aCase) || groupOf(aCase) != group, aCase.id.c_str());
    }
    for (const char *group : {"1", "7", "9"})
        QVERIFY2(played[group] >= 6, group);
}

Outcome tst_Conformance::run(const TransportUnderTest &transport, const Case &aCase)
{
    QEventLoop loop;
    QTimer limit;
    limit.setSingleShot(true);
    limit.callOnTimeout(&loop, &QEventLoop::quit);
    std::optional<Outcome> outcome;
    connect(&m_server, &CaseServer::played, &loop, [&] {
        outcome = m_server.takeOutcome();
        loop.quit();
    });
    m_server.prepare(aCase);
    std::optional<EchoClient> client;
    if (transport.make) {
        client.emplace(transport.make(), [&] { loop.quit(); });
        client->open(m_slicer ? m_slicer->url() : m_server.url());
    }
    // The server has its own limit; this one is for a client that never comes.
    limit.start(280s);
    while (!outcome && limit.isActive())
        loop.exec();
    if (!outcome)
        return {Verdict::Failed, Ending::Unclean, 0, "the client never played the case", 0};
    limit.start(10s);
    while (client && !client->hasEnded() && limit.isActive())
        loop.exec();
    if (client && !client->hasEnded()) {
        outcome->verdict = Verdict::Failed;
        outcome->why = "the transport did not report the end";
    }
    return *outcome;
}

void tst_Conformance::initTestCase()
{
    const QList<QByteArray> path = qgetenv("EVERWIRE_CONFORMANCE_PATH").split(' ');
    for (const QByteArray &what : path)
        QVERIFY2(what.isEmpty() || what == "tls" || what == "sliced", what.constData());
    if (isOnPath("tls"))
        m_trust.emplace();
    if (isOnPath("sliced"))
        m_slicer.emplace(m_server.url()).setSliceSize(1);
    for (const TransportUnderTest &transport : transports()) {
        TransportResults results{transport.name, {}, {}};
        for (const KnownFailure &failure : transport.failures)
            results.reasons.emplace(failure.cases, failure.why);
        m_results.push_back(std::move(results));
    }
}

void tst_Conformance::cases_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<int>("number");
    for (size_t transport = 0; transport < transports().size(); ++transport) {
        for (size_t number = 0; number < allCases().size(); ++number) {
            if (isPlayed(allCases()[number]))
                QTest::addRow("%s %s", transports()[transport].name, allCases()[number].id.c_str())
                    << int(transport) << int(number);
        }
    }
}

void tst_Conformance::cases()
{
    QFETCH(const int, transport);
    QFETCH(const int, number);
    const TransportUnderTest &underTest = transports()[size_t(transport)];
    const Case &aCase = allCases()[size_t(number)];
    const Outcome outcome = run(underTest, aCase);
    m_results[size_t(transport)].outcomes[aCase.id] = outcome;

    const bool isGood = outcome.isGood() && outcome.verdict != Verdict::Unimplemented;
    const std::string what = aCase.checks + "; " + described(outcome);
    if (const KnownFailure *known = underTest.knownFailure(aCase))
        QVERIFY2(!isGood, ("passes although it is listed: " + known->why + "; " + what).c_str());
    else
        QVERIFY2(isGood, what.c_str());
    if (underTest.make)
        QCOMPARE(outcome.verdict == Verdict::NonStrict, underTest.nonStrict.count(aCase.id) > 0);
}

void tst_Conformance::cleanupTestCase()
{
    const QString path = qEnvironmentVariable("EVERWIRE_CONFORMANCE_REPORT");
    if (path.isEmpty())
        return;
    QFile file(path);
    QVERIFY2(file.open(QIODevice::WriteOnly), qPrintable(file.errorString()));
    file.write(conformanceReport(m_results));
}

QTEST_GUILESS_MAIN(tst_Conformance)
#include "tst_conformance.moc"
