// SPDX-License-Identifier: MIT
#include "client/connection.h"
#include "core/closecode.h"
#include "core/connectionerror.h"
#include "core/connectionstate.h"

#include <QMetaEnum>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

class TestConnectionState : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void s5_table_data();
    void s5_table();
    void s5_everyStateCanBeReachedAndLeft();
    void names();
    void publicEnumHasTheSameValues();
    void r6_finalCloseCodes();
    void error_asFinalKeepsTheRest();
};

void TestConnectionState::s5_table_data()
{
    QTest::addColumn<QString>("from");
    QTest::addColumn<QString>("allowed");
    QTest::newRow("disconnected") << u"disconnected"_s << u"connecting error"_s;
    QTest::newRow("connecting") << u"connecting"_s
                                << u"authenticating connected reconnecting disconnecting error"_s;
    QTest::newRow("authenticating") << u"authenticating"_s
                                    << u"connecting connected reconnecting disconnecting error"_s;
    QTest::newRow("connected") << u"connected"_s << u"connecting reconnecting disconnecting error"_s;
    QTest::newRow("reconnecting") << u"reconnecting"_s << u"connecting disconnecting error"_s;
    QTest::newRow("disconnecting") << u"disconnecting"_s << u"disconnected"_s;
    QTest::newRow("error") << u"error"_s << u"connecting disconnecting"_s;
}

void TestConnectionState::s5_table()
{
    QFETCH(QString, from);
    QFETCH(QString, allowed);
    QStringList found;
    for (const ConnectionState source : AllConnectionStates) {
        if (QLatin1StringView(toString(source)) != from)
            continue;
        for (const ConnectionState target : AllConnectionStates) {
            if (isTransitionAllowed(source, target))
                found.append(QString::fromLatin1(toString(target)));
        }
    }
    QCOMPARE(found.join(u' '), allowed);
}

void TestConnectionState::s5_everyStateCanBeReachedAndLeft()
{
    for (const ConnectionState state : AllConnectionStates) {
        bool reached = false;
        bool left = false;
        for (const ConnectionState other : AllConnectionStates) {
            reached |= isTransitionAllowed(other, state);
            left |= isTransitionAllowed(state, other);
        }
        QVERIFY(reached && left);
        QVERIFY(!isTransitionAllowed(state, state));
    }
}

void TestConnectionState::names()
{
    QSet<QByteArray> seen;
    for (const ConnectionState state : AllConnectionStates)
        seen.insert(toString(state));
    QCOMPARE(seen.size(), ConnectionStateCount);
    QCOMPARE(toString(ConnectionState::Reconnecting), "reconnecting");
}

void TestConnectionState::publicEnumHasTheSameValues()
{
    const auto meta = QMetaEnum::fromType<Connection::State>();
    QCOMPARE(meta.keyCount(), ConnectionStateCount);
    for (const ConnectionState state : AllConnectionStates) {
        const auto shown = QVariant::fromValue(static_cast<Connection::State>(state)).toString();
        QCOMPARE(shown.toLower(), QLatin1String(toString(state)));
    }
}

void TestConnectionState::r6_finalCloseCodes()
{
    QList<int> codes;
    for (int code = 0; code < 5100; ++code) {
        if (CloseCode::isFinal(code))
            codes.append(code);
    }
    QCOMPARE(codes, (QList{1002, 1003, 1007, 1008, 1009, 1010}));
}

void TestConnectionState::error_asFinalKeepsTheRest()
{
    const ConnectionError error(ConnectionError::ConnectionLost, u"gone"_s, 1006);
    QVERIFY(!error.isFinal());
    QCOMPARE(error.asFinal(), ConnectionError(ConnectionError::ConnectionLost, u"gone"_s, 1006, true));
    QCOMPARE(error.asFinal(u"x"_s), ConnectionError(ConnectionError::ConnectionLost, u"x"_s, 1006, true));
    QVERIFY(error != error.asFinal());
    QCOMPARE(ConnectionError().code(), ConnectionError::NoError);
}

QTEST_GUILESS_MAIN(TestConnectionState)
#include "tst_connectionstate.moc"
