// SPDX-License-Identifier: MIT
//
// Every transport against servers that are not ours, as echo servers, with and without compression.
#include "peer.h"
#include "support/transports.h"

#include <QTest>

#include <map>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromUtf8(text);
}

struct PeerKind
{
    const char *name;
    std::function<std::unique_ptr<Peer>()> start;
    bool compresses = false;
    const char *via = nullptr; // the peer behind which this one is reached, not started by itself
};

std::function<std::unique_ptr<Peer>()> echo(EchoPeer::Language language, const char *deflate)
{
    return [language, deflate] { return std::make_unique<EchoPeer>(language, s(deflate)); };
}

const std::vector<PeerKind> &peerKinds()
{
    constexpr auto node = EchoPeer::Language::Node;
    constexpr auto python = EchoPeer::Language::Python;
    static const std::vector<PeerKind> kinds{
        {"ws", echo(node, "false")},
        {"ws, deflate", echo(node, R"({"threshold":0})"), true},
        {"ws, server without takeover", echo(node, R"({"threshold":0,"serverNoContextTakeover":true})"),
         true},
        {"ws, client without takeover", echo(node, R"({"threshold":0,"clientNoContextTakeover":true})"),
         true},
        {"ws, no takeover",
         echo(node, R"({"threshold":0,"serverNoContextTakeover":true,"clientNoContextTakeover":true})"),
         true},
        {"ws, server window 9", echo(node, R"({"threshold":0,"serverMaxWindowBits":9})"), true},
        {"ws, client window 9", echo(node, R"({"threshold":0,"clientMaxWindowBits":9})"), true},
        {"ws, all limits", echo(node, R"({"threshold":0,"serverNoContextTakeover":true,
            "clientNoContextTakeover":true,"serverMaxWindowBits":10,"clientMaxWindowBits":11})"),
         true},
        {"websockets", echo(python, "false")},
        {"websockets, deflate", echo(python, "true"), true},
        {"QWebSocketServer", [] { return std::make_unique<QWebSocketPeer>(); }},
        {"nginx", {}, true, "ws, deflate"},
        {"nginx, TLS", {}, true, "ws, deflate"},
    };
    return kinds;
}

constexpr int patience = 30000;

} // namespace

class tst_Interop : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void cleanupTestCase();

    void echoes_data() { everyone(); }
    void echoes();
    void echoesEventsInOrder_data() { everyone(); }
    void echoesEventsInOrder();
    void closes_data() { everyone(); }
    void closes();
    void isClosed_data() { everyone(); }
    void isClosed();
    void isDropped_data() { everyone(); }
    void isDropped();
    void tellsOfABadGateway_data() { everyTransport(); }
    void tellsOfABadGateway();
    void mirrorsOfLibwebsockets_data() { everyTransport(); }
    void mirrorsOfLibwebsockets();
    void countsOfLibwebsockets_data() { everyTransport(); }
    void countsOfLibwebsockets();

private:
    static void everyone();
    static void everyTransport();
    [[nodiscard]] Peer *peer(const QByteArray &name);
    [[nodiscard]] NginxPeer *nginx();
    [[nodiscard]] bool open(const Peer *server, const QUrl &url);
    [[nodiscard]] bool openToRow();

    const TransportKind *transportKind = nullptr;
    Peer *behind = nullptr; // the row's echo server
    // A server starts when it is first needed, and stays.
    std::map<QByteArray, std::unique_ptr<Peer>> peers;
    TrustInRawServer trust; // nginx shows the same certificate
    TransportTarget target;
    TransportRecorder heard;
    std::unique_ptr<Transport> transport;
};

void tst_Interop::everyone()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("server");
    for (int i = 0; i < int(transportKinds().size()); ++i) {
        for (int j = 0; j < int(peerKinds().size()); ++j)
            QTest::addRow("%s with %s", transportKinds()[size_t(i)].name, peerKinds()[size_t(j)].name)
                << i << j;
    }
}

void tst_Interop::everyTransport()
{
    QTest::addColumn<int>("kind");
    for (int i = 0; i < int(transportKinds().size()); ++i)
        QTest::newRow(transportKinds()[size_t(i)].name) << i;
}

void tst_Interop::init()
{
    heard = {};
    target = {};
    target.maxFrameSize = 512 * 1024;
    target.maxIncomingSize = 2 * 1024 * 1024;
    target.compress = true;
    QFETCH(const int, kind);
    transportKind = &transportKinds()[size_t(kind)];
    transport = transportKind->make();
    transport->setListener(&heard);
}

void tst_Interop::cleanup()
{
    transport.reset();
}

void tst_Interop::cleanupTestCase()
{
    peers.clear();
}

Peer *tst_Interop::peer(const QByteArray &name)
{
    std::unique_ptr<Peer> &known = peers[name];
    if (known)
        return known.get();
    if (name == "libwebsockets")
        known = std::make_unique<LwsPeer>();
    else if (name == "nginx")
        known = std::make_unique<NginxPeer>(peer("ws, deflate")->url());
    for (const PeerKind &each : peerKinds()) {
        if (!known && name == each.name)
            known = each.start();
    }
    return known.get();
}

NginxPeer *tst_Interop::nginx()
{
    return static_cast<NginxPeer *>(peer("nginx"));
}

bool tst_Interop::open(const Peer *server, const QUrl &url)
{
    if (!server->problem().isEmpty()) {
        qCritical("%s", qPrintable(server->problem()));
        return false;
    }
    target.url = url;
    transport->open(target);
    const bool answered =
        QTest::qWaitFor([this] { return heard.opened > 0 || !heard.ends.isEmpty(); }, patience);
    if (!heard.ends.isEmpty())
        qCritical("%s", qPrintable(heard.ends.first().error.message()));
    return answered && heard.opened == 1;
}

bool tst_Interop::openToRow()
{
    QFETCH(const int, server);
    const PeerKind &other = peerKinds()[size_t(server)];
    behind = peer(other.via ? other.via : other.name);
    if (!other.via)
        return open(behind, behind->url());
    if (!behind->problem().isEmpty())
        return open(behind, {});
    return open(nginx(), qstrcmp(other.name, "nginx") == 0 ? nginx()->url() : nginx()->tlsUrl());
}

void tst_Interop::echoes()
{
    QVERIFY(openToRow());
    const QByteArray mixed = s("aäöü€😀 \u0001").toUtf8();
    QByteArray bytes;
    for (int i = 0; i < 256; ++i)
        bytes += char(i);
    QList<QByteArray> sent;
    const auto text = [&](const QByteArray &payload) {
        transport->sendText(payload);
        sent.append('t' + payload);
    };
    const auto binary = [&](const QByteArray &payload) {
        transport->sendBinary(payload);
        sent.append('b' + payload);
    };
    text(mixed);
    binary(bytes);
    text({});
    binary({});
    text("x");
    // JSON: what a QWebSocket may cut at any byte it must be able to write in another way.
    text("\"" + QByteArray("0123456789abcdef").repeated(4096).chopped(2) + "\"");
    binary(bytes.repeated(256));
    text(QByteArray(1024 * 1024, 'y'));
    binary(bytes.repeated(4096));
    transport->sendSecretText("a secret");
    sent.append("ta secret");
    text("last");
    QTRY_COMPARE_WITH_TIMEOUT(heard.messages.size(), sent.size(), patience);
    for (qsizetype i = 0; i < sent.size(); ++i)
        QVERIFY2(heard.messages[i] == sent[i], QByteArray::number(i).constData());
    QVERIFY(heard.ends.isEmpty());
}

void tst_Interop::echoesEventsInOrder()
{
    QFETCH(const int, server);
    QVERIFY(openToRow());
    QList<QByteArray> sent;
    qint64 onTheWire = 0;
    qint64 payload = 0;
    for (int i = 0; i < 200; ++i) {
        QByteArray event =
            R"({"type":"readings","user":"Jürgen","id":)" + QByteArray::number(i) + R"(,"of":[)";
        for (int j = 0; j < 10; ++j)
            event += R"({"sensor":"temperature","value":)" + QByteArray::number(i * j) + R"(,"unit":"°C"},)";
        event += "{}]}";
        payload += event.size();
        onTheWire = transport->sendText(event); // the position behind it
        sent.append('t' + event);
    }
    QTRY_COMPARE_WITH_TIMEOUT(heard.messages.size(), sent.size(), patience);
    QCOMPARE(heard.messages, sent);
    if (transportKind->compresses && peerKinds()[size_t(server)].compresses) {
        // Both ways: one alone could save no more than all of its bytes.
        QVERIFY2(transport->bytesSaved() > payload / 4,
                 QByteArray::number(transport->bytesSaved()).constData());
        QVERIFY(onTheWire < payload);
    } else {
        QCOMPARE(transport->bytesSaved(), qint64(0));
        QVERIFY(onTheWire > payload);
    }
}

void tst_Interop::closes()
{
    QVERIFY(openToRow());
    const qsizetype before = behind->closings().size();
    transport->sendText("hello");
    QTRY_COMPARE_WITH_TIMEOUT(heard.messages.size(), 1, patience);
    transport->close(1000, s("bye, grüße"));
    QTRY_COMPARE_WITH_TIMEOUT(heard.ends.size(), 1, patience);
    QCOMPARE(heard.ends.first().error.closeCode(), 1000);
    QTRY_COMPARE_WITH_TIMEOUT(behind->closings().size(), before + 1, patience);
    QCOMPARE(behind->closings().last(), s("1000 bye, grüße"));
}

void tst_Interop::isClosed()
{
    QVERIFY(openToRow());
    transport->sendText("hello");
    transport->sendText(s("close 4000 genug, äh").toUtf8());
    QTRY_COMPARE_WITH_TIMEOUT(heard.ends.size(), 1, patience);
    QCOMPARE(heard.ends.first().error.closeCode(), 4000);
    QCOMPARE(heard.ends.first().reason, s("genug, äh"));
    QCOMPARE(heard.ends.first().error.code(), ConnectionError::ClosedByServer);
    QCOMPARE(heard.messages, QList<QByteArray>{"thello"});
    QCOMPARE(heard.afterTheEnd, 0);
}

void tst_Interop::isDropped()
{
    QVERIFY(openToRow());
    transport->sendText("drop");
    QTRY_COMPARE_WITH_TIMEOUT(heard.ends.size(), 1, patience);
    QCOMPARE(heard.ends.first().error.closeCode(), 1006);
    QCOMPARE(heard.ends.first().error.code(), ConnectionError::ConnectionLost);
}

void tst_Interop::tellsOfABadGateway()
{
    const PeerKind &any = peerKinds()[1];
    QVERIFY2(peer(any.name)->problem().isEmpty(), qPrintable(peer(any.name)->problem()));
    QVERIFY2(nginx()->problem().isEmpty(), qPrintable(nginx()->problem()));
    target.url = nginx()->tlsUrl();
    target.url.setPath(s("/down"));
    transport->open(target);
    QTRY_COMPARE_WITH_TIMEOUT(heard.ends.size(), 1, patience);
    QCOMPARE(heard.ends.first().error.code(), ConnectionError::HandshakeFailed);
    QVERIFY2(heard.ends.first().error.message().contains(s("502")),
             qPrintable(heard.ends.first().error.message()));
}

void tst_Interop::mirrorsOfLibwebsockets()
{
    target.protocols = QStringList{s("lws-mirror-protocol")};
    const Peer *lws = peer("libwebsockets");
    QVERIFY(open(lws, lws->url()));
    transport->sendText(s("aäöü€😀").toUtf8());
    QTRY_COMPARE_WITH_TIMEOUT(heard.messages, QList<QByteArray>{s("taäöü€😀").toUtf8()}, patience);
    // It mirrors each piece as a text of its own, and cuts wherever its buffer ends.
    QByteArray sent = QByteArray("0123456789abcdef").repeated(4096);
    transport->sendText(sent);
    for (int i = 0; i < 200; ++i) {
        const QByteArray event = R"({"type":"event","id":)" + QByteArray::number(i) + "}";
        transport->sendText(event);
        sent += event;
    }
    const auto joined = [this] {
        QByteArray all;
        for (const QByteArray &message : heard.messages.mid(1))
            all += message.mid(1);
        return all;
    };
    QTRY_COMPARE_WITH_TIMEOUT(joined().size(), sent.size(), patience);
    QVERIFY(joined() == sent);
    transport->close(1000, s("bye"));
    QTRY_COMPARE_WITH_TIMEOUT(heard.ends.size(), 1, patience);
    QCOMPARE(heard.ends.first().error.closeCode(), 1000);
}

void tst_Interop::countsOfLibwebsockets()
{
    target.protocols = QStringList{s("dumb-increment-protocol")};
    const Peer *lws = peer("libwebsockets");
    QVERIFY(open(lws, lws->url()));
    QTRY_VERIFY_WITH_TIMEOUT(heard.messages.size() >= 5, patience);
    for (int i = 0; i < 5; ++i)
        QCOMPARE(heard.messages[i], 't' + QByteArray::number(i));
    transport->sendText("closeme\n");
    QTRY_COMPARE_WITH_TIMEOUT(heard.ends.size(), 1, patience);
    QCOMPARE(heard.ends.first().error.closeCode(), 1001);
    QCOMPARE(heard.ends.first().reason, s("seeya"));
}

QTEST_GUILESS_MAIN(tst_Interop)
#include "tst_interop.moc"
