// SPDX-License-Identifier: MIT
#include "core/messagepool.h"
#include "core/typename.h"

#include <QTest>

#include <thread>

using namespace Everwire;
using namespace Qt::StringLiterals;

class TestMessagePool : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothingOfTheFormerMessageShows();
    void whatSomebodyElseHasIsLeftAlone();
    void aBufferServesItsOwnSizes();
    void whatWasDecodedIsHandedOutAgain();
    void m8_littleWaits();
    void anyThreadGives();

private:
    [[nodiscard]] static Message text(MessagePool &pool, const QByteArray &bytes)
    {
        Decoded former;
        return pool.text(bytes, nullptr, &former);
    }
    static void give(MessagePool &pool, Message &&message, qint64 cost = 100)
    {
        std::vector<CountedMessage> messages;
        messages.push_back({std::move(message), cost});
        pool.give(std::move(messages));
    }
};

void TestMessagePool::nothingOfTheFormerMessageShows()
{
    MessagePool pool;
    Decoded former;
    Message first = pool.text(R"({"type":"a","n":1})", internType("a"), &former);
    const QString id = first.messageId();
    QCOMPARE(first.json().value(QLatin1String("n")).toInt(), 1);
    const MessageData *data = &MessageData::of(first);
    give(pool, std::move(first));

    Message binary = pool.binary(pool.copy("xyz"));
    QCOMPARE(&MessageData::of(binary), data); // made of it
    QVERIFY(binary.isBinary());
    QCOMPARE(binary.bytes(), QByteArray("xyz"));
    QCOMPARE(binary.payload().toByteArray(), QByteArray("xyz"));
    QCOMPARE(binary.type(), QString());
    QVERIFY(binary.messageId() != id);
    give(pool, std::move(binary));

    const Message again = text(pool, R"({"n":2})");
    QCOMPARE(&MessageData::of(again), data);
    QVERIFY(!again.isBinary());
    QCOMPARE(again.json(), (QJsonObject{{u"n"_s, 2}}));
    QCOMPARE(again.type(), QString());
}

void TestMessagePool::whatSomebodyElseHasIsLeftAlone()
{
    MessagePool pool;
    Message message = text(pool, R"({"n":1})");
    const Message held = message;
    give(pool, std::move(message));
    const Message next = text(pool, R"({"n":2})");
    QVERIFY(&MessageData::of(next) != &MessageData::of(held));
    QCOMPARE(held.json().value(QLatin1String("n")).toInt(), 1);

    // The same for the bytes alone.
    Message other = text(pool, "0123456789");
    const QByteArray bytes = other.bytes();
    give(pool, std::move(other));
    const Message last = text(pool, "abcdefghij");
    QCOMPARE(bytes, QByteArray("0123456789"));
    QCOMPARE(last.bytes(), QByteArray("abcdefghij"));
}

void TestMessagePool::aBufferServesItsOwnSizes()
{
    MessagePool pool;
    Message message = text(pool, QByteArray(1000, 'x'));
    const char *where = MessageData::of(message).bytes.constData();
    give(pool, std::move(message));
    // A small message does not keep a large one's memory.
    const QByteArray small = pool.copy(QByteArray(10, 'y'));
    QVERIFY(small.constData() != where);
    QVERIFY(small.capacity() < 100);
    const QByteArray alike = pool.copy(QByteArray(900, 'z'));
    QCOMPARE(static_cast<const void *>(alike.constData()), static_cast<const void *>(where));
    QCOMPARE(alike, QByteArray(900, 'z'));
    QCOMPARE(pool.copy({}), QByteArray());
}

void TestMessagePool::whatWasDecodedIsHandedOutAgain()
{
    MessagePool pool;
    Decoded former;
    Message message = pool.text("{}", nullptr, &former);
    QVERIFY(!former.form);
    const auto form = std::make_shared<const int>(1);
    const auto value = std::make_shared<const int>(2);
    const_cast<MessageData &>(MessageData::of(message)).decoded = {form, value};
    give(pool, std::move(message));
    const Message next = pool.text("{}", nullptr, &former);
    QCOMPARE(former.form.get(), static_cast<const void *>(form.get()));
    QCOMPARE(former.value.get(), static_cast<const void *>(value.get()));
    QVERIFY(!next.decodedAs(form.get()));
}

// For as long as nothing comes.
void TestMessagePool::m8_littleWaits()
{
    MessagePool pool;
    const QByteArray large(8 * 1024 * 1024, 'x');
    give(pool, Message::fromBinary(large, Message::Incoming), large.size());
    QVERIFY(large.isDetached()); // the caller's to free, who has
    const QByteArray small(1000, 'x');
    int kept = 0;
    for (int i = 0; i < 10'000; ++i) {
        QByteArray own(small.constData(), small.size());
        give(pool, Message::fromBinary(own, Message::Incoming), 1200);
        kept += own.isDetached() ? 0 : 1;
    }
    QVERIFY(kept > 1000 && kept < 4000); // 4 MiB
}

void TestMessagePool::anyThreadGives()
{
    MessagePool pool;
    constexpr int count = 20'000;
    std::vector<Message> made;
    std::atomic<int> wrong{0};
    for (int round = 0; round < count / 100; ++round) {
        made.clear();
        for (int i = 0; i < 100; ++i)
            made.push_back(text(pool, QByteArray::number(i)));
        std::thread app([&] {
            for (int i = 0; i < 100; ++i) {
                wrong += made[size_t(i)].bytes().toInt() == i ? 0 : 1;
                give(pool, std::move(made[size_t(i)]));
            }
        });
        for (int i = 0; i < 100; ++i)
            wrong += text(pool, QByteArray::number(i)).bytes().toInt() == i ? 0 : 1;
        app.join();
    }
    QCOMPARE(wrong.load(), 0);
}

QTEST_GUILESS_MAIN(TestMessagePool)
#include "tst_messagepool.moc"
