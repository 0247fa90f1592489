// SPDX-License-Identifier: MIT
#include "transport/frame.h"

#include <QRandomGenerator>
#include <QtEndian>
#include <QTest>

using namespace Everwire;

namespace {

constexpr qint64 Limit = 1 << 20;

// A server's frame.
QByteArray frame(int first, const QByteArray &payload)
{
    QByteArray bytes(1, char(first));
    if (payload.size() < 126) {
        bytes += char(payload.size());
    } else if (payload.size() < 65536) {
        bytes += QByteArray(3, char(126));
        qToBigEndian(quint16(payload.size()), bytes.data() + 2);
    } else {
        bytes += QByteArray(9, char(127));
        qToBigEndian(quint64(payload.size()), bytes.data() + 2);
    }
    return bytes + payload;
}

struct Seen
{
    Incoming::Kind kind;
    QByteArray payload;
    int closeCode;
    friend bool operator==(const Seen &a, const Seen &b)
    {
        return a.kind == b.kind && a.payload == b.payload && a.closeCode == b.closeCode;
    }
};

// Everything that a reader makes of the bytes when they come in pieces of this size.
QList<Seen> readAll(const QByteArray &bytes, qsizetype size = std::numeric_limits<qsizetype>::max(),
                    qint64 limit = Limit, std::optional<DeflateParameters> deflate = {})
{
    FrameReader reader(limit, deflate);
    QList<Seen> seen;
    for (qsizetype at = 0; at < bytes.size(); at += std::min(size, bytes.size() - at)) {
        const PaddedCopy piece(QByteArrayView(bytes).sliced(at, std::min(size, bytes.size() - at)));
        PaddedView input = piece.view();
        for (;;) {
            const Incoming incoming = reader.read(&input);
            if (incoming.kind == Incoming::Nothing)
                break;
            seen.append({incoming.kind, reader.takePayload(incoming), incoming.closeCode});
            if (incoming.kind == Incoming::Violation)
                return seen;
        }
    }
    return seen;
}

// What a server reads of a client's bytes; empty where they are not one message of masked frames.
QByteArray unmasked(const QByteArray &bytes, QList<qsizetype> *sizes, int *firstByte)
{
    QByteArray message;
    for (qsizetype at = 0; at < bytes.size();) {
        const auto byte = [&](qsizetype i) { return quint8(bytes.at(at + i)); };
        if ((byte(1) & 0x80) == 0)
            return {};
        if (at == 0)
            *firstByte = byte(0);
        qsizetype header = 2;
        quint64 size = byte(1) & 0x7F;
        if (size == 126) {
            size = qFromBigEndian<quint16>(bytes.data() + at + 2);
            header = 4;
        } else if (size == 127) {
            size = qFromBigEndian<quint64>(bytes.data() + at + 2);
            header = 10;
        }
        for (qsizetype i = 0; i < qsizetype(size); ++i)
            message += char(byte(header + 4 + i) ^ byte(header + i % 4));
        sizes->append(qsizetype(size));
        at += header + 4 + qsizetype(size);
        if (((quint8(bytes.at(at - header - 4 - qsizetype(size))) & 0x80) != 0) != (at == bytes.size()))
            return {};
    }
    return message;
}

} // namespace

class TestFrame : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void messagesOfEverySize();
    void theSameInAnyPieces();
    void violations_data();
    void violations();
    void closes();
    void closeCodes();
    void limits();
    void aHugeClaimCostsNothing();
    void payloadsKeepNoRoomOfLargerOnes();
    void nothingBehindAViolation();
    void compressedMessages();
    void q6_textIsCutAtCodePoints();
    void q6_framesOfEverySize();
    void masksDiffer();
    void longReasonsAreCut();
};

void TestFrame::messagesOfEverySize()
{
    for (const qsizetype size : {0, 1, 2, 124, 125, 126, 127, 128, 65535, 65536, 65537, 500'000}) {
        const QByteArray payload(size, 'x');
        for (const qsizetype piece : {qsizetype(1'000'000), qsizetype(4096), qsizetype(7)}) {
            QCOMPARE(readAll(frame(0x81, payload), piece), (QList<Seen>{{Incoming::Text, payload, 0}}));
            QCOMPARE(readAll(frame(0x82, payload), piece), (QList<Seen>{{Incoming::Binary, payload, 0}}));
        }
    }
}

void TestFrame::theSameInAnyPieces()
{
    const QByteArray euro = "\xe2\x82\xac";
    const QByteArray bytes = frame(0x81, "one") + frame(0x01, "two \xe2\x82") + frame(0x89, "ping") +
                             frame(0x00, QByteArray()) + frame(0x80, "\xac") + frame(0x8A, "pong") +
                             frame(0x02, QByteArray(300, 'b')) + frame(0x80, QByteArray(70'000, 'c')) +
                             frame(0x81, QByteArray()) + frame(0x88, QByteArray("\x03\xf4", 2) + euro);
    const QList<Seen> whole = readAll(bytes);
    QCOMPARE(whole.size(), 7);
    QCOMPARE(whole[0], (Seen{Incoming::Text, "one", 0}));
    QCOMPARE(whole[1], (Seen{Incoming::Ping, "ping", 0}));
    QCOMPARE(whole[2], (Seen{Incoming::Text, "two " + euro, 0}));
    QCOMPARE(whole[4].payload.size(), 70'300);
    QCOMPARE(whole[6], (Seen{Incoming::Close, euro, 1012}));
    for (qsizetype size = 1; size < 500; ++size)
        QVERIFY(readAll(bytes, size) == whole);
}

void TestFrame::violations_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    QTest::newRow("RSV1") << frame(0xC1, "x") << 1002;
    QTest::newRow("RSV2") << frame(0xA1, "x") << 1002;
    QTest::newRow("RSV3") << frame(0x91, "x") << 1002;
    for (const int opcode : {0x3, 0x4, 0x7, 0xB, 0xF})
        QTest::addRow("opcode %d", opcode) << frame(0x80 | opcode, "x") << 1002;
    QTest::newRow("masked") << QByteArray::fromHex("818100000000") + "x" << 1002;
    QTest::newRow("fragmented ping") << frame(0x09, "x") << 1002;
    QTest::newRow("oversized ping") << frame(0x89, QByteArray(126, 'x')) << 1002;
    QTest::newRow("continuation of nothing") << frame(0x80, "x") << 1002;
    QTest::newRow("message inside a message") << frame(0x01, "x") + frame(0x81, "y") << 1002;
    QTest::newRow("length not minimal, 16 bits")
        << QByteArray::fromHex("817e007d") + QByteArray(125, 'x') << 1002;
    QTest::newRow("length not minimal, 64 bits") << QByteArray::fromHex("817f000000000000ffff") << 1002;
    QTest::newRow("length of 2^63") << QByteArray::fromHex("827f8000000000000000") << 1002;
    QTest::newRow("not UTF-8") << frame(0x81, "a\xff") << 1007;
    QTest::newRow("cut off character") << frame(0x81, "a\xc3") << 1007;
    QTest::newRow("cut off in fragments") << frame(0x01, "a\xc3") + frame(0x80, QByteArray()) << 1007;
    QTest::newRow("half a close code") << frame(0x88, "\x03") << 1002;
    QTest::newRow("reason not UTF-8") << frame(0x88, QByteArray("\x03\xe8\xff", 3)) << 1007;
}

void TestFrame::violations()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const int, code);
    for (const qsizetype size : {qsizetype(1), qsizetype(2), bytes.size()}) {
        const QList<Seen> seen = readAll(bytes, size);
        QCOMPARE(seen.size(), 1);
        QCOMPARE(seen[0], (Seen{Incoming::Violation, {}, code}));
    }
}

void TestFrame::closes()
{
    QCOMPARE(readAll(frame(0x88, {})), (QList<Seen>{{Incoming::Close, {}, 1005}}));
    QCOMPARE(readAll(frame(0x88, QByteArray("\x03\xe8", 2) + QByteArray(123, 'r'))),
             (QList<Seen>{{Incoming::Close, QByteArray(123, 'r'), 1000}}));
}

void TestFrame::closeCodes()
{
    for (int code = 0; code < 65536; ++code) {
        QByteArray payload(2, Qt::Uninitialized);
        qToBigEndian(quint16(code), payload.data());
        const Seen seen = readAll(frame(0x88, payload)).constFirst();
        const bool good = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                          (code >= 3000 && code <= 4999);
        QCOMPARE(seen.kind, good ? Incoming::Close : Incoming::Violation);
        QCOMPARE(seen.closeCode, good ? code : 1002);
    }
}

void TestFrame::limits()
{
    const QByteArray just(100, 'x');
    QCOMPARE(readAll(frame(0x82, just), 1000, 100).constFirst().kind, Incoming::Binary);
    QCOMPARE(readAll(frame(0x82, just + 'x'), 1000, 100).constFirst().closeCode, 1009);
    QCOMPARE(readAll(frame(0x02, just) + frame(0x80, "x"), 1000, 100).constFirst().closeCode, 1009);
    QCOMPARE(readAll(frame(0x02, just) + frame(0x80, {}), 1000, 100).constFirst().payload, just);
}

void TestFrame::aHugeClaimCostsNothing()
{
    // "No limit" is 2⁴⁰ bytes. Within it, what is claimed is not allocated.
    constexpr qint64 none = std::numeric_limits<qint64>::max();
    const QByteArray claim = QByteArray::fromHex("827f0000010000000000") + QByteArray(1000, 'x');
    QVERIFY(readAll(claim, 100, none).isEmpty());
    const QByteArray more = QByteArray::fromHex("827f4000000000000000") + QByteArray(1000, 'x');
    QCOMPARE(readAll(more, 100, none).constFirst().closeCode, 1009);
    // "Hello", compressed.
    FrameReader reader(none, DeflateParameters());
    const PaddedCopy hello(QByteArray::fromHex("c107f248cdc9c90700"));
    PaddedView input = hello.view();
    QCOMPARE(reader.read(&input).payload.toByteArray(), QByteArray("Hello"));
}

void TestFrame::payloadsKeepNoRoomOfLargerOnes()
{
    FrameReader reader(1 << 20);
    const PaddedCopy bytes(frame(0x01, QByteArray(30'000, 'x')) + frame(0x80, QByteArray(30'000, 'x')) +
                           frame(0x02, "a") + frame(0x80, "b"));
    PaddedView input = bytes.view();
    QCOMPARE(reader.read(&input).payload.size(), 60'000);
    const Incoming small = reader.read(&input);
    const QByteArray payload = reader.takePayload(small);
    QCOMPARE(payload, QByteArray("ab"));
    QVERIFY2(payload.capacity() < 2000, QByteArray::number(payload.capacity()).constData());
}

void TestFrame::nothingBehindAViolation()
{
    FrameReader reader(Limit);
    const PaddedCopy bytes(frame(0x81, "\xff") + frame(0x81, "later"));
    PaddedView input = bytes.view();
    for (int i = 0; i < 3; ++i)
        QCOMPARE(reader.read(&input).kind, Incoming::Violation);
}

void TestFrame::compressedMessages()
{
    // RFC 7692 §7.2.3: "Hello", fragmented, out of the window, uncompressed between them.
    const QByteArray bytes = frame(0xC1, QByteArray::fromHex("f248cdc9c90700")) +
                             frame(0x41, QByteArray::fromHex("f20011")) + frame(0x89, "p") +
                             frame(0x80, QByteArray::fromHex("0000")) + frame(0x81, "plain");
    for (const qsizetype size : {qsizetype(1), qsizetype(3), bytes.size()}) {
        const QList<Seen> seen = readAll(bytes, size, Limit, DeflateParameters());
        QCOMPARE(seen, (QList<Seen>{{Incoming::Text, "Hello", 0},
                                    {Incoming::Ping, "p", 0},
                                    {Incoming::Text, "Hello", 0},
                                    {Incoming::Text, "plain", 0}}));
    }
    const auto violation = [](const QByteArray &input) {
        return readAll(input, 1000, 4, DeflateParameters()).constFirst().closeCode;
    };
    QCOMPARE(violation(frame(0xC1, QByteArray::fromHex("f248cdc9c90700"))), 1009);
    QCOMPARE(violation(frame(0xC1, "\x07")), 1007);
    QCOMPARE(violation(frame(0xC9, "x")), 1002);                    // a ping cannot be compressed
    QCOMPARE(violation(frame(0x01, "x") + frame(0xC0, "x")), 1002); // nor a continuation marked
    QCOMPARE(violation(frame(0xC1, QByteArray::fromHex("000100fefffc00"))), 1007); // "\xfc" is no UTF-8
}

void TestFrame::q6_textIsCutAtCodePoints()
{
    const QByteArray text = QByteArray("aäöü€😀").repeated(500);
    for (const qint64 most : {16, 17, 18, 19, 125, 126, 1000}) {
        FrameWriter writer(most);
        QByteArray out = "before";
        const qint64 written = writer.writeText(&out, text);
        QCOMPARE(written, out.size() - 6);
        QList<qsizetype> sizes;
        int first = 0;
        QVERIFY(unmasked(out.mid(6), &sizes, &first) == text);
        QCOMPARE(first & 0x0F, 1);
        qsizetype at = 0;
        for (const qsizetype size : sizes) {
            QVERIFY(size <= most && size > 0);
            QVERIFY(isUtf8(QByteArrayView(text).sliced(at, size)));
            at += size;
        }
    }
}

void TestFrame::q6_framesOfEverySize()
{
    QRandomGenerator random(1);
    for (const qsizetype size : {0, 1, 2, 3, 7, 8, 9, 125, 126, 65535, 65536, 100'000}) {
        QByteArray payload(size, Qt::Uninitialized);
        for (char &byte : payload)
            byte = char(random.bounded(256));
        for (const qint64 most : {qint64(16), qint64(70'000), qint64(1 << 20)}) {
            FrameWriter writer(most);
            QByteArray out;
            qint64 written = writer.writeBinary(&out, payload);
            QCOMPARE(written, out.size());
            QList<qsizetype> sizes;
            int first = 0;
            QVERIFY(unmasked(out, &sizes, &first) == payload);
            QCOMPARE(first & 0x4F, 2);
            QVERIFY(*std::max_element(sizes.begin(), sizes.end()) <= most);
            out.clear();
            written = writer.writeDeflated(&out, Opcode::Binary, payload);
            QCOMPARE(written, out.size());
            QVERIFY(unmasked(out, &sizes, &first) == payload);
            QCOMPARE(first & 0x4F, 0x42);
        }
    }
}

void TestFrame::masksDiffer()
{
    FrameWriter writer(1 << 20);
    QSet<QByteArray> masks;
    for (int i = 0; i < 1000; ++i) {
        QByteArray out;
        writer.writeControl(&out, Opcode::Ping, {});
        masks.insert(out.mid(2, 4));
    }
    QVERIFY(masks.size() > 990);
}

void TestFrame::longReasonsAreCut()
{
    FrameWriter writer(1 << 20);
    QByteArray out;
    writer.writeClose(&out, 4000, QString(100, QChar(0x20ac))); // three bytes each
    QList<qsizetype> sizes;
    int first = 0;
    const QByteArray payload = unmasked(out, &sizes, &first);
    QCOMPARE(first, 0x88);
    QCOMPARE(payload.size(), 2 + 123);
    QVERIFY(isUtf8(QByteArrayView(payload).sliced(2)));
    out.clear();
    writer.writeClose(&out, 1005, {});
    QCOMPARE(out.size(), 6);
}

QTEST_APPLESS_MAIN(TestFrame)
#include "tst_frame.moc"
