// SPDX-License-Identifier: MIT
#include "voice/turnmodel.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

using Tester = QAbstractItemModelTester;

class TestTurnModel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aTurnGrowsUntilItIsFinished();
    void eachSideHasItsOwnOpenTurn();
    void aCutOffAnswerDoesNotTakeTheNextOne();
    void v1_whatIsCutOffIsNotComplete();
    void rolesAndData();
    void lastOfFindsTheLatest();
    void clearForgets();
    void o5_clearedOrDeletedInASignal();
};

void TestTurnModel::aTurnGrowsUntilItIsFinished()
{
    TurnModel model;
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    QSignalSpy count(&model, &TurnModel::countChanged);
    QSignalSpy changed(&model, &TurnModel::dataChanged);
    const int row = model.openTurn(TurnModel::Ai);
    QCOMPARE(row, 0);
    model.addContent(row, u"Hel"_s);
    QCOMPARE(model.openTurn(TurnModel::Ai), 0); // still the same
    model.addContent(row, u"lo"_s);
    QCOMPARE(model.turns().first().content, u"Hello"_s);
    QVERIFY(!model.turns().first().isFinal);
    QCOMPARE(changed.size(), 2);
    QVERIFY(changed.last().at(2).value<QList<int>>().contains(TurnModel::ContentRole));
    model.finish(row);
    QVERIFY(model.turns().first().isFinal);
    QCOMPARE(changed.last().at(0).toModelIndex(), model.index(0));
    QVERIFY(changed.last().at(2).value<QList<int>>().contains(TurnModel::IsFinalRole));
    QCOMPARE(model.openTurn(TurnModel::Ai), 1); // the next one
    QCOMPARE(count.size(), 2);
    QCOMPARE(model.count(), 2);
}

void TestTurnModel::eachSideHasItsOwnOpenTurn()
{
    TurnModel model;
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    const int user = model.openTurn(TurnModel::User);
    const int ai = model.openTurn(TurnModel::Ai);
    QVERIFY(user != ai);
    QCOMPARE(model.openTurn(TurnModel::User), user);
    QCOMPARE(model.openTurn(TurnModel::Ai), ai);
    model.finish(ai);
    QCOMPARE(model.openTurn(TurnModel::User), user);
    QCOMPARE(model.count(), 2);
}

void TestTurnModel::aCutOffAnswerDoesNotTakeTheNextOne()
{
    TurnModel model;
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    const int cutOff = model.openTurn(TurnModel::Ai);
    model.addContent(cutOff, u"As I was say"_s);
    // The user begins to speak; the rest of the answer may still come.
    const int spoken = model.openTurn(TurnModel::User);
    QCOMPARE(model.openTurn(TurnModel::Ai), cutOff);
    // Behind the end of the user's turn it is the answer to that.
    model.finish(spoken);
    QCOMPARE(model.openTurn(TurnModel::Ai), 2);
    QVERIFY(model.turns().at(cutOff).isFinal);
    QVERIFY(!model.turns().at(cutOff).isComplete);
    QVERIFY(model.turns().at(spoken).isComplete);
    QCOMPARE(model.lastFinishedOf(TurnModel::User), spoken);
    QCOMPARE(model.openTurn(TurnModel::User), 3);
    QCOMPARE(model.lastFinishedOf(TurnModel::User), spoken);
}

void TestTurnModel::v1_whatIsCutOffIsNotComplete()
{
    TurnModel model;
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    model.cutOff(TurnModel::Ai); // there is none
    model.finish(model.openTurn(TurnModel::User));
    model.addContent(model.openTurn(TurnModel::Ai), u"Hello, I "_s);
    QSignalSpy changed(&model, &TurnModel::dataChanged);
    model.cutOff(TurnModel::Ai);
    model.cutOff(TurnModel::Ai); // nor now
    QCOMPARE(changed.size(), 1);
    QVERIFY(changed.first().at(2).value<QList<int>>().contains(TurnModel::IsCompleteRole));
    QCOMPARE(model.index(1).data(TurnModel::IsFinalRole), QVariant(true));
    QCOMPARE(model.index(1).data(TurnModel::IsCompleteRole), QVariant(false));
    QCOMPARE(model.openTurn(TurnModel::Ai), 2);
    model.finish(2);
    QCOMPARE(model.index(2).data(TurnModel::IsCompleteRole), QVariant(true));
    // A transcript is of what was said to its end.
    model.openTurn(TurnModel::User);
    model.cutOff(TurnModel::User);
    QCOMPARE(model.lastFinishedOf(TurnModel::User), 0);
}

void TestTurnModel::rolesAndData()
{
    TurnModel model;
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    const QDateTime before = QDateTime::currentDateTimeUtc();
    model.addContent(model.openTurn(TurnModel::User), u"hi"_s);
    const QModelIndex index = model.index(0);
    QCOMPARE(index.data(TurnModel::WhoRole).toInt(), int(TurnModel::User));
    QCOMPARE(index.data(TurnModel::ContentRole), QVariant(u"hi"_s));
    QCOMPARE(index.data(Qt::DisplayRole), QVariant(u"hi"_s));
    QCOMPARE(index.data(TurnModel::IsFinalRole), QVariant(false));
    const QDateTime timestamp = index.data(TurnModel::TimestampRole).toDateTime();
    QVERIFY(timestamp >= before && timestamp <= QDateTime::currentDateTimeUtc());
    QCOMPARE(timestamp.timeSpec(), Qt::UTC);
    QVERIFY(!index.data(Qt::DecorationRole).isValid());
    const QList<QByteArray> names = model.roleNames().values();
    for (const char *name : {"who", "content", "timestamp", "isFinal", "isComplete"})
        QVERIFY2(names.contains(name), name);
    QCOMPARE(model.rowCount(index), 0);
}

void TestTurnModel::lastOfFindsTheLatest()
{
    TurnModel model;
    QCOMPARE(model.lastOf(TurnModel::User), -1);
    model.finish(model.openTurn(TurnModel::User));
    model.openTurn(TurnModel::Ai);
    QCOMPARE(model.lastOf(TurnModel::User), 0);
    model.openTurn(TurnModel::User);
    QCOMPARE(model.lastOf(TurnModel::User), 2);
    QCOMPARE(model.lastOf(TurnModel::Ai), 1);
}

void TestTurnModel::clearForgets()
{
    TurnModel model;
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    QSignalSpy count(&model, &TurnModel::countChanged);
    model.clear();
    QCOMPARE(count.size(), 0);
    model.openTurn(TurnModel::User);
    model.clear();
    QCOMPARE(model.count(), 0);
    QCOMPARE(count.size(), 2);
    QCOMPARE(model.openTurn(TurnModel::User), 0);
}

void TestTurnModel::o5_clearedOrDeletedInASignal()
{
    TurnModel cleared;
    const auto clear = connect(&cleared, &TurnModel::rowsInserted, &cleared, &TurnModel::clear);
    const int row = cleared.openTurn(TurnModel::Ai);
    QCOMPARE(row, -1);
    cleared.addContent(row, u"words"_s);
    cleared.finish(row);
    QCOMPARE(cleared.count(), 0);
    disconnect(clear);
    connect(&cleared, &TurnModel::dataChanged, &cleared, &TurnModel::clear);
    const int next = cleared.openTurn(TurnModel::Ai);
    cleared.addContent(next, u"words"_s);
    cleared.finish(next);
    QCOMPARE(cleared.count(), 0);

    auto *const deleted = new TurnModel;
    connect(deleted, &TurnModel::countChanged, this, [deleted] { delete deleted; });
    QCOMPARE(deleted->openTurn(TurnModel::Ai), -1);
}

QTEST_GUILESS_MAIN(TestTurnModel)
#include "tst_turnmodel.moc"
