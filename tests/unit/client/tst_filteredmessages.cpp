// SPDX-License-Identifier: MIT
#include "client/filteredmessages.h"

#include <QAbstractItemModelTester>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>

#include <memory>
#include <optional>

using namespace Everwire;
using namespace Qt::StringLiterals;

using Tester = QAbstractItemModelTester;

namespace {

QList<Message> batch(const QString &types, Message::Direction direction = Message::Incoming)
{
    QList<Message> messages;
    const QStringList list = types.split(u' ');
    for (const QString &type : list)
        messages.append(Message::fromText(R"({"type":")" + type.toUtf8() + "\"}", type, direction));
    return messages;
}

// "a b …"
QString typesIn(const QAbstractItemModel &model)
{
    QStringList list;
    for (int row = 0; row < model.rowCount(); ++row)
        list.append(model.index(row, 0).data(MessageModel::TypeRole).toString());
    return list.join(u' ');
}

// A source and its filter, both watched by a tester.
struct Rig
{
    Rig() { filter.setSource(&source); }

    MessageModel source{u"simulation"_s};
    FilteredMessages filter;
    const Tester sourceTester{&source, Tester::FailureReportingMode::QtTest};
    const Tester filterTester{&filter, Tester::FailureReportingMode::QtTest};
};

// Changes a model and its filter at random, and knows what the filter has to show.
class Walk
{
public:
    explicit Walk(quint32 seed) : m_random(seed) { m_filter.setSource(m_source.get()); }

    void step();
    // Empty: as expected.
    [[nodiscard]] QString difference() const;
    [[nodiscard]] int insertions() const { return int(m_inserted.size()); }
    [[nodiscard]] int removals() const { return int(m_removed.size()); }

private:
    void append();
    void exchangeSource();
    void chooseTypes();
    [[nodiscard]] bool passes(const Message &message) const;
    int bounded(int end) { return int(m_random.bounded(end)); }

    QRandomGenerator m_random;
    std::unique_ptr<MessageModel> m_source = std::make_unique<MessageModel>(u"t"_s);
    FilteredMessages m_filter;
    std::optional<Tester> m_sourceTester{std::in_place, m_source.get(), Tester::FailureReportingMode::QtTest};
    const Tester m_filterTester{&m_filter, Tester::FailureReportingMode::QtTest};
    QSignalSpy m_inserted{&m_filter, &FilteredMessages::rowsInserted};
    QSignalSpy m_removed{&m_filter, &FilteredMessages::rowsRemoved};
};

void Walk::step()
{
    m_inserted.clear();
    m_removed.clear();
    switch (bounded(24)) {
    case 0: m_source->clear(); break;
    case 1: m_source->setLimit(bounded(40)); break;
    case 2: chooseTypes(); break;
    case 3: m_filter.setDirection(FilteredMessages::Direction(bounded(3))); break;
    case 4: exchangeSource(); break;
    default: append(); break;
    }
}

void Walk::append()
{
    QList<Message> messages;
    const int size = bounded(30);
    for (int i = 0; i < size; ++i)
        messages += batch(QChar(u'a' + bounded(4)), bounded(2) == 0 ? Message::Incoming : Message::Outgoing);
    m_source->append(messages);
}

// By another one, by none, or because it goes.
void Walk::exchangeSource()
{
    m_sourceTester.reset();
    auto next = std::make_unique<MessageModel>(u"t"_s);
    next->append(batch(u"a b c d"_s));
    next->setLimit(20);
    if (bounded(2) == 0)
        m_filter.setSource(bounded(2) == 0 ? nullptr : next.get());
    m_source = std::move(next);
    m_filter.setSource(m_source.get());
    m_sourceTester.emplace(m_source.get(), Tester::FailureReportingMode::QtTest);
}

void Walk::chooseTypes()
{
    QStringList types;
    for (char16_t type = u'a'; type <= u'd'; ++type) {
        if (bounded(2) == 0)
            types.append(QChar(type));
    }
    m_filter.setTypes(types);
}

bool Walk::passes(const Message &message) const
{
    const QStringList types = m_filter.types();
    if (!types.isEmpty() && !types.contains(message.type()))
        return false;
    switch (m_filter.direction()) {
    case FilteredMessages::AnyDirection: return true;
    case FilteredMessages::Incoming: return message.direction() == Message::Incoming;
    case FilteredMessages::Outgoing: return message.direction() == Message::Outgoing;
    }
    return false;
}

QString Walk::difference() const
{
    QStringList expected;
    for (int row = 0; row < m_source->count(); ++row) {
        if (passes(m_source->at(row)))
            expected.append(m_source->at(row).messageId());
    }
    QStringList shown;
    for (int row = 0; row < m_filter.rowCount(); ++row) {
        shown.append(m_filter.index(row).data(MessageModel::MessageIdRole).toString());
        if (shown.last() != m_filter.at(row).messageId())
            return u"at() and data() differ in row %1"_s.arg(row);
    }
    return shown == expected && m_filter.count() == shown.size()
               ? QString()
               : u"[%1] instead of [%2]"_s.arg(shown.join(u' '), expected.join(u' '));
}

} // namespace

class TestFilteredMessages : public QObject
{
    Q_OBJECT

public Q_SLOTS:
    void deleteSender() { delete sender(); }

private Q_SLOTS:
    void m7_byType();
    void m7_byDirection();
    void m7_messagesWithoutAType();
    void m7_oneInsertionForABatch();
    void m7_oneRemovalForABatch();
    void m7_whatDoesNotPassIsNoSignal();
    void m7_theFilterChanges();
    void m7_theSourceIsThereBefore();
    void m7_theSourceIsExchanged();
    void m7_theSourceGoes();
    void m7_theSourceIsCleared();
    void m7_leavingRowsCanStillBeRead();
    void m7_rolesAndColumnsAreTheSources();
    void m7_outsideOfTheModel();
    void m7_aSlotThatComesBeforeClearsTheSource();
    void m7_aSlotThatComesBeforeAppends();
    void m7_aSlotDeletesTheFilter_data();
    void m7_aSlotDeletesTheFilter();
    void m7_aSlotDeletesTheSource();
    void m7_aFilterIsSetWhileRowsLeave();
    void m7_randomWalk_data();
    void m7_randomWalk();
};

void TestFilteredMessages::m7_byType()
{
    Rig rig;
    rig.source.append(batch(u"a b c a"_s));
    QCOMPARE(typesIn(rig.filter), u"a b c a"_s);
    rig.filter.setTypes({u"a"_s, u"c"_s});
    QCOMPARE(typesIn(rig.filter), u"a c a"_s);
    rig.source.append(batch(u"b c"_s));
    QCOMPARE(typesIn(rig.filter), u"a c a c"_s);
    QCOMPARE(rig.filter.count(), 4);
}

void TestFilteredMessages::m7_byDirection()
{
    Rig rig;
    rig.source.append(batch(u"in"_s, Message::Incoming));
    rig.source.append(batch(u"out"_s, Message::Outgoing));
    rig.filter.setDirection(FilteredMessages::Outgoing);
    QCOMPARE(typesIn(rig.filter), u"out"_s);
    rig.filter.setDirection(FilteredMessages::Incoming);
    QCOMPARE(typesIn(rig.filter), u"in"_s);
    rig.filter.setDirection(FilteredMessages::AnyDirection);
    QCOMPARE(typesIn(rig.filter), u"in out"_s);
}

void TestFilteredMessages::m7_messagesWithoutAType()
{
    Rig rig;
    rig.source.append(batch(u"a"_s) + QList<Message>{Message::fromBinary("x", Message::Incoming)});
    rig.filter.setTypes({QString()});
    QCOMPARE(rig.filter.count(), 1);
    QVERIFY(rig.filter.at(0).isBinary());
}

void TestFilteredMessages::m7_oneInsertionForABatch()
{
    Rig rig;
    rig.filter.setTypes({u"a"_s});
    QSignalSpy inserted(&rig.filter, &FilteredMessages::rowsInserted);
    QSignalSpy count(&rig.filter, &FilteredMessages::countChanged);
    rig.source.append(batch(u"a b a b a"_s));
    QCOMPARE(inserted.size(), 1);
    QCOMPARE(inserted[0][1].toInt(), 0);
    QCOMPARE(inserted[0][2].toInt(), 2);
    rig.source.append(batch(u"b a a"_s));
    QCOMPARE(inserted.size(), 2);
    QCOMPARE(inserted[1][1].toInt(), 3);
    QCOMPARE(inserted[1][2].toInt(), 4);
    QCOMPARE(count.size(), 2);
}

void TestFilteredMessages::m7_oneRemovalForABatch()
{
    Rig rig;
    rig.source.setLimit(4);
    rig.filter.setTypes({u"a"_s});
    rig.source.append(batch(u"a b a a"_s));
    QSignalSpy inserted(&rig.filter, &FilteredMessages::rowsInserted);
    QSignalSpy removed(&rig.filter, &FilteredMessages::rowsRemoved);
    rig.source.append(batch(u"b a b"_s));
    QCOMPARE(typesIn(rig.source), u"a b a b"_s);
    QCOMPARE(typesIn(rig.filter), u"a a"_s);
    QCOMPARE(removed.size(), 1);
    QCOMPARE(removed[0][2].toInt(), 1);
    QCOMPARE(inserted.size(), 1);
    rig.source.setLimit(1);
    QCOMPARE(removed.size(), 2);
    QCOMPARE(rig.filter.count(), 0);
}

void TestFilteredMessages::m7_whatDoesNotPassIsNoSignal()
{
    Rig rig;
    rig.source.setLimit(2);
    rig.filter.setTypes({u"a"_s});
    QSignalSpy inserted(&rig.filter, &FilteredMessages::rowsAboutToBeInserted);
    QSignalSpy removed(&rig.filter, &FilteredMessages::rowsAboutToBeRemoved);
    QSignalSpy count(&rig.filter, &FilteredMessages::countChanged);
    for (int i = 0; i < 5; ++i)
        rig.source.append(batch(u"b c"_s));
    QCOMPARE(inserted.size() + removed.size() + count.size(), 0);
}

void TestFilteredMessages::m7_theFilterChanges()
{
    Rig rig;
    rig.source.append(batch(u"a b"_s));
    QSignalSpy reset(&rig.filter, &FilteredMessages::modelReset);
    QSignalSpy types(&rig.filter, &FilteredMessages::typesChanged);
    QSignalSpy direction(&rig.filter, &FilteredMessages::directionChanged);
    QSignalSpy count(&rig.filter, &FilteredMessages::countChanged);
    for (int i = 0; i < 2; ++i)
        rig.filter.setTypes({u"a"_s});
    QCOMPARE(reset.size(), 1);
    QCOMPARE(types.size(), 1);
    QCOMPARE(count.size(), 1);
    for (int i = 0; i < 2; ++i)
        rig.filter.setDirection(FilteredMessages::Incoming);
    QCOMPARE(reset.size(), 2);
    QCOMPARE(direction.size(), 1);
    QCOMPARE(count.size(), 1); // as many as before
}

void TestFilteredMessages::m7_theSourceIsThereBefore()
{
    MessageModel source(u"t"_s);
    source.setLimit(2);
    source.append(batch(u"a"_s));
    source.append(batch(u"b c"_s)); // its first number is not 0
    FilteredMessages filter;
    const Tester tester(&filter, Tester::FailureReportingMode::QtTest);
    QVERIFY(!filter.source());
    QCOMPARE(filter.rowCount(), 0);
    filter.setSource(&source);
    QCOMPARE(typesIn(filter), u"b c"_s);
    source.append(batch(u"d"_s));
    QCOMPARE(typesIn(filter), u"c d"_s);
}

void TestFilteredMessages::m7_theSourceIsExchanged()
{
    Rig rig;
    MessageModel other(u"t"_s);
    rig.source.append(batch(u"a b c"_s));
    other.append(batch(u"x"_s));
    QSignalSpy changed(&rig.filter, &FilteredMessages::sourceChanged);
    rig.filter.setSource(&other);
    QCOMPARE(typesIn(rig.filter), u"x"_s);
    rig.source.append(batch(u"d"_s)); // which it hears no more
    rig.source.clear();
    QCOMPARE(typesIn(rig.filter), u"x"_s);
    rig.filter.setSource(nullptr);
    QCOMPARE(rig.filter.count(), 0);
    QCOMPARE(changed.size(), 2);
}

void TestFilteredMessages::m7_theSourceGoes()
{
    auto source = std::make_unique<MessageModel>(u"t"_s);
    FilteredMessages filter;
    const Tester tester(&filter, Tester::FailureReportingMode::QtTest);
    filter.setSource(source.get());
    source->append(batch(u"a b"_s));
    QSignalSpy changed(&filter, &FilteredMessages::sourceChanged);
    QSignalSpy count(&filter, &FilteredMessages::countChanged);
    source.reset();
    QCOMPARE(filter.count(), 0);
    QVERIFY(!filter.source());
    QCOMPARE(changed.size(), 1);
    QCOMPARE(count.size(), 1);
    QVERIFY(filter.at(0).isNull());
}

void TestFilteredMessages::m7_theSourceIsCleared()
{
    Rig rig;
    rig.filter.setTypes({u"a"_s});
    rig.source.append(batch(u"a b a"_s));
    rig.source.clear();
    QCOMPARE(rig.filter.count(), 0);
    rig.source.append(batch(u"b a"_s));
    QCOMPARE(typesIn(rig.filter), u"a"_s);
}

void TestFilteredMessages::m7_leavingRowsCanStillBeRead()
{
    Rig rig;
    rig.source.setLimit(3);
    rig.filter.setTypes({u"a"_s, u"c"_s});
    rig.source.append(batch(u"a b c"_s));
    QString leaving;
    connect(&rig.filter, &FilteredMessages::rowsAboutToBeRemoved, this,
            [&](const QModelIndex &, int, int last) {
                for (int row = 0; row <= last; ++row)
                    leaving += rig.filter.index(row).data(MessageModel::TypeRole).toString();
            });
    rig.source.append(batch(u"d d d"_s));
    QCOMPARE(leaving, u"ac"_s);
}

void TestFilteredMessages::m7_rolesAndColumnsAreTheSources()
{
    Rig rig;
    rig.source.append(batch(u"a b"_s));
    rig.filter.setTypes({u"b"_s});
    QCOMPARE(rig.filter.roleNames(), rig.source.roleNames());
    QCOMPARE(FilteredMessages().roleNames(), rig.source.roleNames());
    QCOMPARE(rig.filter.columnCount(), rig.source.columnCount());
    for (int column = 0; column < rig.source.columnCount(); ++column) {
        QCOMPARE(rig.filter.headerData(column, Qt::Horizontal, Qt::DisplayRole),
                 rig.source.headerData(column, Qt::Horizontal, Qt::DisplayRole));
        QCOMPARE(rig.filter.index(0, column).data(), rig.source.index(1, column).data());
    }
    const QList<int> roles = rig.source.roleNames().keys();
    for (const int role : roles)
        QCOMPARE(rig.filter.index(0).data(role), rig.source.index(1).data(role));
}

void TestFilteredMessages::m7_outsideOfTheModel()
{
    Rig rig;
    rig.source.append(batch(u"a"_s));
    QVERIFY(!rig.filter.at(0).isNull());
    QVERIFY(rig.filter.at(1).isNull());
    QVERIFY(rig.filter.at(-1).isNull());
    QVERIFY(!rig.filter.data({}, MessageModel::TypeRole).isValid());
    QCOMPARE(rig.filter.rowCount(rig.filter.index(0)), 0);
    QCOMPARE(rig.filter.columnCount(rig.filter.index(0)), 0);
}

// Slots that come before the filter's own: it hears of what they do before it hears of what they were told.

void TestFilteredMessages::m7_aSlotThatComesBeforeClearsTheSource()
{
    MessageModel source(u"t"_s);
    FilteredMessages filter;
    connect(&source, &MessageModel::rowsInserted, this, [&] {
        if (source.count() > 2)
            source.clear();
    });
    filter.setSource(&source);
    const Tester tester(&filter, Tester::FailureReportingMode::QtTest);
    source.append(batch(u"a b"_s));
    source.append(batch(u"c"_s));
    QCOMPARE(filter.count(), 0);
    source.append(batch(u"d"_s));
    QCOMPARE(typesIn(filter), u"d"_s);
}

void TestFilteredMessages::m7_aSlotThatComesBeforeAppends()
{
    MessageModel source(u"t"_s);
    source.setLimit(4);
    source.append(batch(u"a b c d"_s));
    FilteredMessages filter;
    bool nested = false;
    const auto appendOnce = [&] {
        if (!std::exchange(nested, true))
            source.append(batch(u"x y"_s));
    };
    connect(&source, &MessageModel::rowsInserted, this, appendOnce);
    connect(&source, &MessageModel::rowsRemoved, this, appendOnce);
    filter.setSource(&source);
    const Tester tester(&filter, Tester::FailureReportingMode::QtTest);
    source.append(batch(u"e"_s)); // nested within its removal
    QCOMPARE(typesIn(filter), typesIn(source));
    source.setLimit(20);
    nested = false;
    source.append(batch(u"f"_s)); // within its insertion
    QCOMPARE(typesIn(filter), typesIn(source));
    nested = false;
    source.setLimit(3);
    QCOMPARE(typesIn(filter), typesIn(source));
}

void TestFilteredMessages::m7_aSlotDeletesTheFilter_data()
{
    QTest::addColumn<QByteArray>("signal");
    for (const char *signal :
         {SIGNAL(rowsInserted(QModelIndex, int, int)), SIGNAL(rowsRemoved(QModelIndex, int, int)),
          SIGNAL(modelReset()), SIGNAL(countChanged()), SIGNAL(typesChanged())})
        QTest::addRow("%s", signal + 1) << QByteArray(signal);
}

void TestFilteredMessages::m7_aSlotDeletesTheFilter()
{
    QFETCH(QByteArray, signal);
    MessageModel source(u"t"_s);
    source.setLimit(2);
    QPointer<FilteredMessages> filter = new FilteredMessages;
    filter->setSource(&source);
    QObject::connect(filter, signal.constData(), this, SLOT(deleteSender()));
    source.append(batch(u"a b"_s));
    source.append(batch(u"c"_s));
    if (filter)
        filter->setTypes({u"a"_s});
    QVERIFY(!filter);
    source.append(batch(u"d"_s));
    QCOMPARE(typesIn(source), u"c d"_s);
}

void TestFilteredMessages::m7_aSlotDeletesTheSource()
{
    auto source = std::make_unique<MessageModel>(u"t"_s);
    FilteredMessages filter;
    filter.setSource(source.get());
    const Tester tester(&filter, Tester::FailureReportingMode::QtTest);
    connect(&filter, &FilteredMessages::countChanged, this, [&] { source.reset(); });
    source->append(batch(u"a b"_s));
    QVERIFY(!filter.source());
    QCOMPARE(filter.count(), 0);
}

void TestFilteredMessages::m7_aFilterIsSetWhileRowsLeave()
{
    Rig rig;
    rig.source.setLimit(3);
    rig.filter.setTypes({u"b"_s});
    rig.source.append(batch(u"a a b"_s));
    connect(&rig.source, &MessageModel::rowsAboutToBeRemoved, this, [&] { rig.filter.setTypes({}); });
    rig.source.append(batch(u"c"_s));
    QCOMPARE(typesIn(rig.filter), u"a b c"_s);
}

void TestFilteredMessages::m7_randomWalk_data()
{
    QTest::addColumn<quint32>("seed");
    bool isSet = false;
    const int seed = qEnvironmentVariableIntValue("EVERWIRE_SEED", &isSet);
    if (isSet)
        QTest::addRow("seed %d", seed) << quint32(seed);
    for (quint32 given = 1; !isSet && given <= 8; ++given)
        QTest::addRow("seed %u", given) << given;
}

void TestFilteredMessages::m7_randomWalk()
{
    QFETCH(quint32, seed);
    qInfo("seed %u (EVERWIRE_SEED)", seed);
    Walk walk(seed);
    for (int step = 0; step < 500; ++step) {
        walk.step();
        const QString difference = walk.difference();
        QVERIFY2(difference.isEmpty(), qPrintable(u"step %1: %2"_s.arg(step).arg(difference)));
        QVERIFY(walk.insertions() <= 1);
        QVERIFY(walk.removals() <= 1);
    }
}

QTEST_GUILESS_MAIN(TestFilteredMessages)
#include "tst_filteredmessages.moc"
