// SPDX-License-Identifier: MIT
//
// Each of our transports plays the client in the Autobahn testsuite's cases. Environment:
//   EVERWIRE_CONFORMANCE_ROUNDS   messages of each case in the groups 9.7, 9.8, 12 and 13: 50 without it
//   EVERWIRE_CONFORMANCE_REPORT   a file to write the results to, as Markdown
//   EVERWIRE_CONFORMANCE_PORT     plays the cases to whoever connects there, one a connection, and not to our
//                                 transports: shows with another client (tests/peers/echo-client.mjs) that the
//                                 cases are right
#include "cases.h"
#include "caseserver.h"
#include "echoclient.h"
#include "report.h"

#include "transport/frametransport.h"
#include "transport/qwebsockettransport.h"

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

template<typename T>
std::unique_ptr<Transport> make()
{
    return std::make_unique<T>();
}

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
    static const std::vector<TransportUnderTest> others = {{"another client", nullptr, {}}};
    static const std::vector<TransportUnderTest> ours = {
        {"FrameTransport", make<FrameTransport>, {}},
        {"QWebSocket",
         make<QWebSocketTransport>,
         {
             {"6.2.3", cutsCodePoints},
             {"6.2.4", cutsCodePoints},
             {"6.4.2", cutsCodePoints},
             {"12.*", "QWebSocket does not compress"},
             {"13.*", "QWebSocket does not compress"},
         }},
    };
    return portForOthers() > 0 ? others : ours;
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
    void cases_data();
    void cases();
    void cleanupTestCase();

private:
    Outcome run(const TransportUnderTest &transport, const Case &aCase);

    CaseServer m_server{portForOthers()};
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
        client->open(m_server.url());
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
        for (size_t number = 0; number < allCases().size(); ++number)
            QTest::addRow("%s %s", transports()[transport].name, allCases()[number].id.c_str())
                << int(transport) << int(number);
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
