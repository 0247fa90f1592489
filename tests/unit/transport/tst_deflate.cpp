// SPDX-License-Identifier: MIT
#include "transport/deflate.h"

#include <QRandomGenerator>
#include <QTest>

#include <zlib.h>

using namespace Everwire;

namespace {

// A server's compressor, made straight from zlib.
class Peer
{
public:
    explicit Peer(int level = 6, int windowBits = 15)
    {
        deflateInit2(&m_zlib, level, Z_DEFLATED, -windowBits, 8, Z_DEFAULT_STRATEGY);
    }
    ~Peer() { deflateEnd(&m_zlib); }
    Q_DISABLE_COPY_MOVE(Peer)

    QByteArray compress(QByteArray message, int flush = Z_SYNC_FLUSH)
    {
        QByteArray out(message.size() * 2 + 64, Qt::Uninitialized);
        m_zlib.next_in = reinterpret_cast<Bytef *>(message.data());
        m_zlib.avail_in = uInt(message.size());
        m_zlib.next_out = reinterpret_cast<Bytef *>(out.data());
        m_zlib.avail_out = uInt(out.size());
        deflate(&m_zlib, flush);
        out.truncate(out.size() - qsizetype(m_zlib.avail_out));
        if (flush == Z_FINISH)
            deflateReset(&m_zlib);
        else
            out.chop(4);
        return out;
    }

private:
    z_stream m_zlib{};
};

QByteArray sample(int number)
{
    return R"({"type":"ai_response","content":"Grüße an Nummer )" + QByteArray::number(number * 7919) +
           R"(","timestamp":"2024-05-11T10:00:00Z","isFinal":false,"sessionId":"s-1"})";
}

QByteArray noise(qsizetype size)
{
    QRandomGenerator random(7);
    QByteArray bytes(size, Qt::Uninitialized);
    for (char &byte : bytes)
        byte = char(random.bounded(256));
    return bytes;
}

Inflater::Result inflateWhole(Inflater &inflater, const QByteArray &message, QByteArray *out,
                              qsizetype limit = 1 << 24)
{
    out->clear();
    const Inflater::Result result = inflater.inflate(message, out, limit);
    return result == Inflater::Result::Ok ? inflater.finish(out, limit) : result;
}

} // namespace

class TestDeflate : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void answers_data();
    void answers();
    void roundTrip_data();
    void roundTrip();
    void inAnyPieces();
    void tooLargeAWindowInAnyPieces();
    void rfcExamples();
    void aFinalBlockKeepsTheWindow();
    void bombsAreCutAtTheLimit();
    void brokenStreams_data();
    void brokenStreams();
    void finalBlocksWithoutEnd();
    void windowsOf8BitsAreNotCompressed();
    void eventsShrink();
};

void TestDeflate::answers_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<bool>("good");
    const auto row = [](const char *answer, bool good) {
        QTest::addRow("%s", answer) << QByteArray(answer) << good;
    };
    row("permessage-deflate", true);
    row("Permessage-Deflate; Server_No_Context_Takeover", true);
    row("permessage-deflate; client_no_context_takeover; server_max_window_bits=8", true);
    row("permessage-deflate; client_max_window_bits=\"15\"", true);
    row("permessage-deflate; client_max_window_bits", false); // a client's form only
    row("permessage-deflate; server_max_window_bits", false);
    row("permessage-deflate; server_max_window_bits=7", false);
    row("permessage-deflate; server_max_window_bits=16", false);
    row("permessage-deflate; server_max_window_bits=08", false);
    row("permessage-deflate; server_max_window_bits=1 5", false);
    row("permessage-deflate; server_no_context_takeover=1", false);
    row("permessage-deflate; client_no_context_takeover; client_no_context_takeover", false);
    row("permessage-deflate; unknown", false);
    row("permessage-deflate, permessage-deflate", false);
    row("x-webkit-deflate-frame", false);
    row("permessage-deflate;", false);
}

void TestDeflate::answers()
{
    QFETCH(const QByteArray, answer);
    QFETCH(const bool, good);
    QString problem;
    QCOMPARE(deflateFromAnswer(answer, &problem).has_value(), good);
    QCOMPARE(problem.isEmpty(), good);
}

void TestDeflate::roundTrip_data()
{
    QTest::addColumn<bool>("noTakeover");
    QTest::addColumn<int>("bits");
    for (const bool noTakeover : {false, true}) {
        for (const int bits : {9, 10, 12, 13, 15})
            QTest::addRow("%s, %d bits", noTakeover ? "no takeover" : "takeover", bits) << noTakeover << bits;
    }
}

void TestDeflate::roundTrip()
{
    QFETCH(const bool, noTakeover);
    QFETCH(const int, bits);
    // Our two halves against each other: what we send as a client is read with a client's parameters.
    DeflateParameters sending;
    sending.clientNoContextTakeover = noTakeover;
    sending.clientMaxWindowBits = bits;
    DeflateParameters receiving;
    receiving.serverNoContextTakeover = noTakeover;
    receiving.serverMaxWindowBits = bits;
    Deflater deflater(sending);
    Inflater inflater(receiving);
    const QByteArray big = noise(300'000);
    for (const QByteArray &message :
         {QByteArray(), QByteArray("x"), QByteArray(), QByteArray(), sample(1), sample(1), sample(2), big,
          big.first(200'000) + big, QByteArray(2'000'000, 'a'), sample(3)}) {
        const QByteArray deflated = deflater.compress(message).toByteArray();
        QByteArray out;
        QCOMPARE(inflateWhole(inflater, deflated, &out), Inflater::Result::Ok);
        QVERIFY(out == message);
    }
}

void TestDeflate::inAnyPieces()
{
    Peer peer;
    const QByteArray text = sample(1) + sample(2) + noise(300) + sample(3);
    const QByteArray deflated = peer.compress(text);
    for (qsizetype size = 1; size <= deflated.size(); ++size) {
        Inflater inflater({});
        QByteArray out;
        for (qsizetype at = 0; at < deflated.size(); at += size)
            QCOMPARE(inflater.inflate(deflated.mid(at, size), &out, 10'000), Inflater::Result::Ok);
        QCOMPARE(inflater.finish(&out, 10'000), Inflater::Result::Ok);
        QCOMPARE(out, text);
    }
}

// A server that reaches further back than it has agreed to: taken or refused, but not as the pieces fall.
void TestDeflate::tooLargeAWindowInAnyPieces()
{
    DeflateParameters parameters;
    parameters.serverMaxWindowBits = 9;
    const QByteArray far = noise(600);
    const QByteArray deflated = Peer(6, 15).compress(far + noise(700).last(100) + far);
    QVERIFY(deflated.size() < 800);
    for (const qsizetype size : {qsizetype(1), qsizetype(100), deflated.size()}) {
        Inflater inflater(parameters);
        QByteArray out;
        for (qsizetype at = 0; at < deflated.size(); at += size)
            QCOMPARE(inflater.inflate(deflated.mid(at, size), &out, 10'000), Inflater::Result::Ok);
        QCOMPARE(inflater.finish(&out, 10'000), Inflater::Result::Ok);
        QVERIFY(out.startsWith(far) && out.endsWith(far));
    }
}

// RFC 7692 §7.2.3.
void TestDeflate::rfcExamples()
{
    Inflater inflater({});
    QByteArray out;
    for (const char *hex :
         {"f248cdc9c90700", "f200110000", "f348cdc9c90700", "f248050000 00ffff cac9c90700"}) {
        QCOMPARE(inflateWhole(inflater, QByteArray::fromHex(hex), &out), Inflater::Result::Ok);
        QCOMPARE(out, QByteArray("Hello"));
    }
    Inflater stored({});
    QCOMPARE(inflateWhole(stored, QByteArray::fromHex("000500faff48656c6c6f00"), &out), Inflater::Result::Ok);
    QCOMPARE(out, QByteArray("Hello"));
}

void TestDeflate::aFinalBlockKeepsTheWindow()
{
    for (const bool extraByte : {false, true}) {
        Inflater inflater({});
        QByteArray out;
        Peer first;
        QByteArray deflated = first.compress(sample(1), Z_FINISH);
        if (extraByte)
            deflated += '\0';
        QCOMPARE(inflateWhole(inflater, deflated, &out), Inflater::Result::Ok);
        QCOMPARE(out, sample(1));
        // RFC 7692's "Hello" again, out of the window: the second of §7.2.3.2's pair.
        Inflater hello({});
        QCOMPARE(inflateWhole(hello,
                              QByteArray::fromHex(extraByte ? "f348cdc9c90700"
                                                              "00"
                                                            : "f348cdc9c90700"),
                              &out),
                 Inflater::Result::Ok);
        QCOMPARE(inflateWhole(hello, QByteArray::fromHex("f200110000"), &out), Inflater::Result::Ok);
        QCOMPARE(out, QByteArray("Hello"));
    }
}

void TestDeflate::bombsAreCutAtTheLimit()
{
    Peer peer(9);
    const QByteArray bomb = peer.compress(QByteArray(200'000'000, '\0'));
    QVERIFY(bomb.size() < 250'000);
    Inflater inflater({});
    QByteArray out;
    QCOMPARE(inflateWhole(inflater, bomb, &out, 1 << 20), Inflater::Result::TooLarge);
    QVERIFY(out.capacity() < 4 << 20);

    Peer exact;
    Inflater fits({});
    QCOMPARE(inflateWhole(fits, exact.compress(QByteArray(5000, 'x')), &out, 5000), Inflater::Result::Ok);
    QCOMPARE(inflateWhole(fits, exact.compress(QByteArray(5001, 'x')), &out, 5000),
             Inflater::Result::TooLarge);
}

void TestDeflate::brokenStreams_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("reserved block type") << QByteArray::fromHex("07");
    QTest::newRow("stored length that does not match") << QByteArray::fromHex("000500000048");
    QTest::newRow("distance before the beginning") << QByteArray::fromHex("f200110000");
    QTest::newRow("cut inside a block") << Peer().compress(sample(1)).first(40);
}

void TestDeflate::brokenStreams()
{
    QFETCH(const QByteArray, bytes);
    Inflater inflater({});
    QByteArray out;
    QCOMPARE(inflateWhole(inflater, bytes, &out), Inflater::Result::Invalid);
}

void TestDeflate::finalBlocksWithoutEnd()
{
    Inflater inflater({});
    QByteArray out;
    // Each pair of bytes is an empty final block, which makes us copy the window.
    QCOMPARE(inflateWhole(inflater, QByteArray::fromHex("0300").repeated(500'000), &out),
             Inflater::Result::Invalid);
    Inflater few({});
    QCOMPARE(inflateWhole(few, QByteArray::fromHex("0300").repeated(3), &out), Inflater::Result::Ok);
    QVERIFY(out.isEmpty());
}

void TestDeflate::windowsOf8BitsAreNotCompressed()
{
    DeflateParameters parameters;
    QVERIFY(Deflater::canCompress(parameters));
    parameters.clientMaxWindowBits = 8;
    QVERIFY(!Deflater::canCompress(parameters));
}

void TestDeflate::eventsShrink()
{
    Deflater deflater({});
    qint64 before = 0;
    qint64 after = 0;
    for (int i = 0; i < 1000; ++i) {
        before += sample(i).size();
        after += deflater.compress(sample(i)).size();
    }
    QVERIFY2(after * 10 <= before * 3, qPrintable(QStringLiteral("%1 of %2").arg(after).arg(before)));
}

QTEST_APPLESS_MAIN(TestDeflate)
#include "tst_deflate.moc"
