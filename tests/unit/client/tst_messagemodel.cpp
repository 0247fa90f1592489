// SPDX-License-Identifier: MIT
#include "client/messagemodel.h"

#include <QAbstractItemModelTester>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>

#include <stdexcept>

using namespace Everwire;
using namespace Qt::StringLiterals;

using Tester = QAbstractItemModelTester;

namespace {

QList<Message> batch(int from, int to)
{
    QList<Message> messages;
    for (int i = from; i <= to; ++i)
        messages.append(
            Message::fromText(R"({"n":)" + QByteArray::number(i) + '}', u"t%1"_s.arg(i), Message::Incoming));
    return messages;
}

// "t1 t2 …"
QString types(const MessageModel &model)
{
    QStringList list;
    for (int row = 0; row < model.rowCount(); ++row)
        list.append(model.index(row).data(MessageModel::TypeRole).toString());
    return list.join(u' ');
}

} // namespace

class TestMessageModel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void m7_oneInsertionForABatch();
    void m7_theOldestGo();
    void m7_aBatchBeyondTheLimit_data();
    void m7_aBatchBeyondTheLimit();
    void m7_theLimitShrinksAndGrows();
    void m7_zeroKeepsNone();
    void m7_rolesAndData();
    void m7_binaryAndOutgoing();
    void m7_asATable();
    void m7_at();
    void m7_clear();
    void m7_countChangesOnce();
    void m7_bytesAreBounded();
    void m7_aSlotThatThrowsLosesNoRow_data();
    void m7_aSlotThatThrowsLosesNoRow();
    void m7_randomWalk();
};

void TestMessageModel::m7_oneInsertionForABatch()
{
    MessageModel model(u"simulation"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    QSignalSpy inserted(&model, &MessageModel::rowsInserted);
    model.append(batch(1, 50));
    QCOMPARE(inserted.size(), 1);
    QCOMPARE(inserted.first().at(1).toInt(), 0);
    QCOMPARE(inserted.first().at(2).toInt(), 49);
    model.append({});
    QCOMPARE(inserted.size(), 1);
    QCOMPARE(model.limit(), 1000);
}

void TestMessageModel::m7_theOldestGo()
{
    MessageModel model(u"t"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    model.setLimit(3);
    model.append(batch(1, 2));
    model.append(batch(3, 4));
    QCOMPARE(types(model), u"t2 t3 t4"_s);
    model.append(batch(5, 5));
    QCOMPARE(types(model), u"t3 t4 t5"_s);
}

void TestMessageModel::m7_aBatchBeyondTheLimit_data()
{
    QTest::addColumn<int>("before");
    for (const int before : {0, 1, 3})
        QTest::addRow("%d before", before) << before;
}

void TestMessageModel::m7_aBatchBeyondTheLimit()
{
    QFETCH(int, before);
    MessageModel model(u"t"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    model.setLimit(3);
    model.append(batch(-before, -1));
    model.append(batch(1, 10));
    QCOMPARE(types(model), u"t8 t9 t10"_s); // the last of them
}

void TestMessageModel::m7_theLimitShrinksAndGrows()
{
    MessageModel model(u"t"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    QSignalSpy limit(&model, &MessageModel::limitChanged);
    QSignalSpy count(&model, &MessageModel::countChanged);
    model.append(batch(1, 5));
    model.setLimit(2);
    QCOMPARE(types(model), u"t4 t5"_s);
    QCOMPARE(count.size(), 2);
    model.setLimit(2);
    QCOMPARE(limit.size(), 1);
    model.setLimit(4);
    QCOMPARE(types(model), u"t4 t5"_s);
    QCOMPARE(count.size(), 2);
    model.append(batch(6, 8));
    QCOMPARE(types(model), u"t5 t6 t7 t8"_s);
}

void TestMessageModel::m7_zeroKeepsNone()
{
    MessageModel model(u"t"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    model.append(batch(1, 5));
    model.setLimit(0);
    QCOMPARE(model.count(), 0);
    model.append(batch(1, 5));
    QCOMPARE(model.rowCount(), 0);
}

void TestMessageModel::m7_rolesAndData()
{
    MessageModel model(u"simulation"_s);
    const Message message = Message::fromText(R"({"type":"x","v":1})", u"x"_s, Message::Incoming);
    model.append({message});
    const QModelIndex index = model.index(0);
    QCOMPARE(index.data(MessageModel::MessageIdRole), QVariant(message.messageId()));
    QCOMPARE(index.data(MessageModel::TypeRole), QVariant(u"x"_s));
    QCOMPARE(index.data(Qt::DisplayRole), QVariant(u"x"_s));
    QCOMPARE(index.siblingAtColumn(MessageModel::ContentColumn).data(MessageModel::TypeRole),
             QVariant(u"x"_s));
    QCOMPARE(index.data(MessageModel::ConnectionTypeRole), QVariant(u"simulation"_s));
    QCOMPARE(index.data(MessageModel::PayloadRole).toJsonObject(), message.json());
    QCOMPARE(index.data(MessageModel::TimestampRole).toDateTime(), message.timestamp());
    QCOMPARE(index.data(MessageModel::DirectionRole).toInt(), int(Message::Incoming));
    QCOMPARE(index.data(MessageModel::IsBinaryRole), QVariant(false));
    QVERIFY(!index.data(Qt::DecorationRole).isValid());
    QVERIFY(!model.data({}, MessageModel::TypeRole).isValid());
    QCOMPARE(model.rowCount(index), 0);
    const QList<QByteArray> names = model.roleNames().values();
    for (const char *name :
         {"messageId", "type", "connectionType", "payload", "timestamp", "direction", "isBinary"})
        QVERIFY2(names.contains(name), name);
}

void TestMessageModel::m7_binaryAndOutgoing()
{
    MessageModel model(u"t"_s);
    model.append({Message::fromBinary("\x01\x02", Message::Outgoing)});
    const QModelIndex index = model.index(0);
    QCOMPARE(index.data(MessageModel::IsBinaryRole), QVariant(true));
    QCOMPARE(index.data(MessageModel::DirectionRole).toInt(), int(Message::Outgoing));
    QCOMPARE(index.data(MessageModel::PayloadRole).toByteArray(), QByteArray("\x01\x02"));
}

void TestMessageModel::m7_asATable()
{
    MessageModel model(u"t"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    const QByteArray longText = R"({"type":"x","v":")" + QByteArray("ä€😀").repeated(500) + "\"}";
    model.append({Message::fromText("{\n \"type\":\"x\"}", u"x"_s, Message::Incoming),
                  Message::fromText(longText, u"x"_s, Message::Outgoing),
                  Message::fromBinary(QByteArray(3200, 'b'), Message::Incoming)});
    const auto cell = [&](int row, MessageModel::Column column) {
        return model.index(row, column).data().toString();
    };
    QCOMPARE(model.columnCount(), 5);
    QStringList titles;
    for (int column = 0; column < model.columnCount(); ++column)
        titles.append(model.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
    QCOMPARE(titles.join(u' '), u"Type Direction Time Size Content"_s);
    QCOMPARE(cell(0, MessageModel::TypeColumn), u"x"_s);
    QCOMPARE(cell(0, MessageModel::ContentColumn), uR"({ "type":"x"})"_s); // one line
    QCOMPARE(cell(0, MessageModel::DirectionColumn), u"in"_s);
    QCOMPARE(cell(1, MessageModel::DirectionColumn), u"out"_s);
    QVERIFY(cell(1, MessageModel::ContentColumn).size() < 250);
    QVERIFY(cell(1, MessageModel::ContentColumn).endsWith(QChar(0x2026)));
    QVERIFY(!cell(1, MessageModel::ContentColumn).contains(QChar::ReplacementCharacter));
    QCOMPARE(cell(2, MessageModel::SizeColumn), QLocale().toString(3200));
    QCOMPARE(cell(2, MessageModel::ContentColumn), QLocale().toString(3200) + u" bytes"_s);
    QVERIFY(!model.index(0, 5).isValid());
}

void TestMessageModel::m7_at()
{
    MessageModel model(u"t"_s);
    model.append(batch(1, 2));
    QCOMPARE(model.at(1).type(), u"t2"_s);
    QVERIFY(model.at(2).isNull());
    QVERIFY(model.at(-1).isNull());
}

void TestMessageModel::m7_clear()
{
    MessageModel model(u"t"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    QSignalSpy count(&model, &MessageModel::countChanged);
    model.clear();
    QCOMPARE(count.size(), 0);
    model.append(batch(1, 3));
    model.clear();
    QCOMPARE(model.count(), 0);
    QCOMPARE(count.size(), 2);
    model.append(batch(4, 4));
    QCOMPARE(types(model), u"t4"_s);
}

void TestMessageModel::m7_countChangesOnce()
{
    MessageModel model(u"t"_s);
    model.setLimit(2);
    QSignalSpy count(&model, &MessageModel::countChanged);
    model.append(batch(1, 2));
    QCOMPARE(count.size(), 1);
    model.append(batch(3, 4)); // as many as before
    QCOMPARE(count.size(), 1);
    QCOMPARE(types(model), u"t3 t4"_s);
}

void TestMessageModel::m7_bytesAreBounded()
{
    MessageModel model(u"simulation"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    QCOMPARE(model.byteLimit(), 16 * 1024 * 1024);
    model.append(batch(1, 1));
    const qint64 cost = model.bytes();
    QVERIFY(cost > 0);
    QSignalSpy counts(&model, &MessageModel::countChanged);
    model.setByteLimit(3 * cost);
    model.append(batch(2, 3));
    QCOMPARE(types(model), u"t1 t2 t3"_s);
    model.append(batch(4, 4)); // in the first one's place
    QCOMPARE(types(model), u"t2 t3 t4"_s);
    QCOMPARE(counts.size(), 1);
    model.append(batch(5, 9)); // of a batch that is too much the newest
    QCOMPARE(types(model), u"t7 t8 t9"_s);
    QCOMPARE(model.bytes(), 3 * cost);
    const Message large = Message::fromText(QByteArray(4096, ' '), u"large"_s, Message::Outgoing);
    model.append({large}); // which is more than all
    QCOMPARE(types(model), u"t7 t8 t9"_s);
    model.setByteLimit(3 * cost - 1);
    QCOMPARE(types(model), u"t8 t9"_s);
    model.setByteLimit(0);
    QCOMPARE(model.count(), 0);
    QCOMPARE(model.bytes(), 0);
    model.append(batch(1, 3));
    QCOMPARE(model.count(), 0);
    model.setByteLimit(100'000);
    model.append({large});
    model.append(batch(1, 3));
    QCOMPARE(types(model), u"large t1 t2 t3"_s);
    model.clear();
    QCOMPARE(model.bytes(), 0);
}

void TestMessageModel::m7_aSlotThatThrowsLosesNoRow_data()
{
    QTest::addColumn<QString>("which");
    for (const char *which :
         {"rowsAboutToBeInserted", "rowsInserted", "rowsAboutToBeRemoved", "rowsRemoved", "countChanged"})
        QTest::newRow(which) << QString::fromLatin1(which);
}

void TestMessageModel::m7_aSlotThatThrowsLosesNoRow()
{
    QFETCH(const QString, which);
    MessageModel model(u"simulation"_s);
    model.setLimit(5);
    model.append(batch(1, 4));
    const QPersistentModelIndex kept(model.index(3));
    bool throws = true;
    const auto slot = [&] {
        if (throws)
            throw std::runtime_error("thrown on purpose");
    };
    if (which == u"rowsAboutToBeInserted")
        connect(&model, &MessageModel::rowsAboutToBeInserted, this, slot);
    else if (which == u"rowsInserted")
        connect(&model, &MessageModel::rowsInserted, this, slot);
    else if (which == u"rowsAboutToBeRemoved")
        connect(&model, &MessageModel::rowsAboutToBeRemoved, this, slot);
    else if (which == u"rowsRemoved")
        connect(&model, &MessageModel::rowsRemoved, this, slot);
    else
        connect(&model, &MessageModel::countChanged, this, slot);
    QVERIFY_EXCEPTION_THROWN(model.append(batch(5, 7)), std::runtime_error);
    QCOMPARE(types(model), u"t3 t4 t5 t6 t7"_s);
    throws = false;
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    model.append(batch(8, 8));
    QCOMPARE(types(model), u"t4 t5 t6 t7 t8"_s);
    model.disconnect(this);
}

void TestMessageModel::m7_randomWalk()
{
    MessageModel model(u"t"_s);
    const Tester tester(&model, Tester::FailureReportingMode::QtTest);
    QRandomGenerator random(5);
    QList<int> expected;
    int next = 0;
    for (int step = 0; step < 500; ++step) {
        if (random.bounded(10) == 0)
            model.setLimit(random.bounded(20));
        const int size = random.bounded(30);
        model.append(batch(next, next + size - 1));
        for (int i = 0; i < size; ++i)
            expected.append(next++);
        while (expected.size() > model.limit())
            expected.removeFirst();
        QCOMPARE(model.count(), int(expected.size()));
        for (int row = 0; row < expected.size(); ++row)
            QCOMPARE(model.at(row).type(), u"t%1"_s.arg(expected.at(row)));
    }
}

QTEST_GUILESS_MAIN(TestMessageModel)
#include "tst_messagemodel.moc"
