// SPDX-License-Identifier: MIT
//
// What an app sees of TLS and of proxies: the options, over both transports, against servers whose certificates are made
// here. docs/tls.md says the same in words.
#include "support/certificates.h"
#include "support/logrecorder.h"
#include "support/proxyserver.h"
#include "support/rawserver.h"

#include "transport/pinning.h"

#include <Everwire/WebSocketProvider>

#include <QProcess>
#include <QSignalSpy>
#include <QtEndian>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

const QString Token = QStringLiteral("the-token-that-nobody-else-may-see");
constexpr int Frame = int(ConnectionConfig::Transport::Automatic);
constexpr int QWebSocket = int(ConnectionConfig::Transport::QWebSocket);

struct TransportRow
{
    const char *name;
    int transport;
};

constexpr TransportRow BothTransports[] = {{"Frame", Frame}, {"QWebSocket", QWebSocket}};

// A row for each transport. What is streamed into it follows the transport's column.
template<typename Add>
void bothTransports(const char *row, Add add)
{
    for (const TransportRow &one : BothTransports)
        add(QTest::newRow(qPrintable(s(one.name) + QLatin1Char(' ') + s(row))) << one.transport);
}

} // namespace

class tst_Tls : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();

    void a8_theServerIsVerified_data();
    void a8_theServerIsVerified();
    void a8_theApplicationsDefaultsWeakenNothing_data();
    void a8_theApplicationsDefaultsWeakenNothing();
    void a8_errorsAreIgnoredOnlyIfAllAreNamed_data();
    void a8_errorsAreIgnoredOnlyIfAllAreNamed();
    void a8_anIgnoredErrorIsLoggedEachTime_data() { transports(); }
    void a8_anIgnoredErrorIsLoggedEachTime();
    void a8_pinsMustMatch_data();
    void a8_pinsMustMatch();
    void a8_pinsAreThoseOfOpenssl_data();
    void a8_pinsAreThoseOfOpenssl();
    void a8_qwebsocketRefusesPins();
    void a8_clientCertificates_data();
    void a8_clientCertificates();
    void a8_aServerThatWantsACertificateSaysSo_data();
    void a8_aServerThatWantsACertificateSaysSo();
    void a8_unusableOptionsAreFinal_data();
    void a8_unusableOptionsAreFinal();
    void a8_nothingBelowTls12_data() { transports(); }
    void a8_nothingBelowTls12();
    void a8_theClientHelloNamesTheHost_data() { transports(); }
    void a8_theClientHelloNamesTheHost();
    void a8_aServerWithoutTlsIsNamedSo_data() { transports(); }
    void a8_aServerWithoutTlsIsNamedSo();
    void a8_redirectsKeepTheOptions_data();
    void a8_redirectsKeepTheOptions();
    void overIpv6_data() { transports(); }
    void overIpv6();
    void headersAndSubprotocolsArriveOverTls_data() { transports(); }
    void headersAndSubprotocolsArriveOverTls();
    void theOptionProxyIsUsed_data();
    void theOptionProxyIsUsed();
    void noneIsNoProxy_data() { transports(); }
    void noneIsNoProxy();
    void a7_aProxysPasswordIsInNoMessage_data();
    void a7_aProxysPasswordIsInNoMessage();

private:
    static void transports();
    [[nodiscard]] ConnectionConfig config() const;
    void serve(const QStringList &chain);
    void open(const ConnectionConfig &config) { connection->open(config); }
    // Waits for the attempt's end.
    [[nodiscard]] bool isEstablished();
    void answerTheToken();
    [[nodiscard]] QString message() const { return connection->error(); }

    static std::unique_ptr<Certificates> made;
    std::unique_ptr<RawServer> raw;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
};

std::unique_ptr<Certificates> tst_Tls::made;

// ---- How the suite works ----

void tst_Tls::initTestCase()
{
    QVERIFY2(Certificates::canBeMade(), "openssl is needed; scripts/setup --tests installs it");
    made = std::make_unique<Certificates>();
    made->makeCa(s("ca"));
    made->makeCa(s("middle"), s("ca"));
    made->makeCa(s("stranger"));
    const auto make = [](const char *name, const char *issuer, const char *names = nullptr,
                         bool expired = false) {
        Certificates::Wish wish;
        wish.issuer = s(issuer);
        if (names)
            wish.names = s(names);
        wish.isExpired = expired;
        made->make(s(name), wish);
    };
    make("good", "ca", "DNS:localhost,DNS:server.test,IP:127.0.0.1,IP:::1");
    make("chained", "middle");
    make("strange", "stranger");
    make("expired", "ca", nullptr, true);
    make("elsewhere", "ca", "DNS:elsewhere.test");
    make("old-elsewhere", "ca", "DNS:elsewhere.test", true);
    make("self", "");
    make("client", "ca", "DNS:client");
    make("other-client", "stranger", "DNS:client");
    make("branch-client", "middle", "DNS:client");
    Certificates::Wish rsa;
    rsa.issuer = s("ca");
    rsa.keyType = QStringList{s("-newkey"), s("rsa:2048")};
    made->make(s("rsa"), rsa);
}

void tst_Tls::init()
{
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(Token);
    connection = provider->connection(s("x"));
}

void tst_Tls::cleanup()
{
    provider.reset();
    raw.reset();
}

void tst_Tls::transports()
{
    QTest::addColumn<int>("transport");
    bothTransports("", [](QTestData &) {});
}

ConnectionConfig tst_Tls::config() const
{
    QFETCH(const int, transport);
    ConnectionConfig chosen;
    if (raw)
        chosen.setUrl(raw->url());
    return chosen.setTransport(ConnectionConfig::Transport(transport)).setAutoReconnect(false);
}

void tst_Tls::serve(const QStringList &chain)
{
    raw = std::make_unique<RawServer>(made->server(chain));
}

void tst_Tls::answerTheToken()
{
    raw->write(RawServer::frame(0x1, R"({"type":"auth_success"})"));
}

bool tst_Tls::isEstablished()
{
    const auto isOver = [this] { return connection->state() == Connection::Error; };
    const auto hasToken = [this] {
        return raw && !raw->frames().isEmpty() &&
               raw->frames().constFirst().payload.contains(Token.toLatin1());
    };
    if (!QTest::qWaitFor([&] { return isOver() || hasToken(); }, 30'000) || isOver())
        return false;
    answerTheToken();
    return QTest::qWaitFor([this] { return connection->isConnected(); }, 30'000);
}

#define NOBODY_HEARD_US()                                                                                    \
    do {                                                                                                     \
        QTest::qWait(0);                                                                                     \
        QCOMPARE(raw->request(), QByteArray());                                                              \
        QCOMPARE(raw->rest(), QByteArray());                                                                 \
    } while (false)

// ---- Who the server is ----

void tst_Tls::a8_theServerIsVerified_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QStringList>("chain");
    QTest::addColumn<QStringList>("cas");
    QTest::addColumn<QStringList>("errors"); // none: it is accepted
    QTest::addColumn<QString>("advice");
    const QStringList ca{made->path(s("ca.crt"))};
    const auto good = [](const char *row, const QStringList &chain, const QStringList &cas) {
        bothTransports(row, [&](QTestData &data) { data << chain << cas << QStringList() << QString(); });
    };
    const auto bad = [](const char *row, const QStringList &chain, const QStringList &cas,
                        const QStringList &errors, const char *advice) {
        bothTransports(row, [&](QTestData &data) { data << chain << cas << errors << s(advice); });
    };
    good("by a private CA", {s("good")}, ca);
    good("with an RSA key", {s("rsa")}, ca);
    good("the CA as PEM text", {s("good")}, {QString::fromLatin1(made->pem(s("ca.crt")))});
    good("the CA by URL", {s("good")}, {QUrl::fromLocalFile(ca.first()).toString()});
    good("several CAs in a file", {s("good")}, {made->bundle(s("both.pem"), {s("stranger"), s("ca")})});
    good("several files", {s("good")}, {made->path(s("stranger.crt")), ca.first()});
    good("through an intermediate", {s("chained"), s("middle")}, ca);
    good("an intermediate that we have", {s("chained")}, {ca.first(), made->path(s("middle.crt"))});
    good("self-signed and given", {s("self")}, {made->path(s("self.crt"))});
    bad("an intermediate is missing", {s("chained")}, ca, {s("UnableToGetLocalIssuerCertificate")},
        "intermediate certificates");
    bad("unknown CA", {s("strange")}, ca, {s("UnableToGetLocalIssuerCertificate")}, "caCertificates");
    bad("no CA", {s("good")}, {}, {s("UnableToGetLocalIssuerCertificate")}, "caCertificates");
    bad("unknown CA that is sent", {s("strange"), s("stranger")}, ca, {s("SelfSignedCertificateInChain")},
        "caCertificates");
    bad("expired", {s("expired")}, ca, {s("CertificateExpired")}, "Renew");
    bad("of another host", {s("elsewhere")}, ca, {s("HostNameMismatch")}, "elsewhere.test");
    bad("self-signed", {s("self")}, ca, {s("SelfSignedCertificate")}, "caCertificates");
    bad("two errors", {s("old-elsewhere")}, ca, {s("CertificateExpired"), s("HostNameMismatch")}, "Renew");
}

void tst_Tls::a8_theServerIsVerified()
{
    QFETCH(const QStringList, chain);
    QFETCH(const QStringList, cas);
    QFETCH(const QStringList, errors);
    QFETCH(const QString, advice);
    serve(chain);
    open(config().setCaCertificates(cas));
    QVERIFY2(isEstablished() == errors.isEmpty(), qPrintable(message()));
    if (errors.isEmpty())
        return;
    QCOMPARE(connection->errorCode(), ConnectionError::TlsFailed);
    for (const QString &error : errors)
        QVERIFY2(message().contains(QLatin1Char('(') + error + QLatin1Char(')')), qPrintable(message()));
    QVERIFY2(message().contains(advice), qPrintable(message()));
    NOBODY_HEARD_US();
}

void tst_Tls::a8_theApplicationsDefaultsWeakenNothing_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QString>("server");
    QTest::addColumn<bool>("accepted");
    bothTransports("an unknown CA", [](QTestData &data) { data << s("good") << false; });
    bothTransports("a CA of the application's", [](QTestData &data) { data << s("strange") << true; });
}

void tst_Tls::a8_theApplicationsDefaultsWeakenNothing()
{
    QFETCH(const QString, server);
    QFETCH(const bool, accepted);
    serve({server});
    const QSslConfiguration before = QSslConfiguration::defaultConfiguration();
    QSslConfiguration weak = before;
    weak.setPeerVerifyMode(QSslSocket::VerifyNone);
    weak.setProtocol(QSsl::AnyProtocol);
    weak.setCaCertificates({made->certificate(s("stranger"))});
    QSslConfiguration::setDefaultConfiguration(weak);
    open(config().setCaCertificates({made->path(s("middle.crt"))})); // of no use here
    const bool established = isEstablished();
    QSslConfiguration::setDefaultConfiguration(before);
    QVERIFY2(established == accepted, qPrintable(message()));
    if (accepted)
        return;
    QCOMPARE(connection->errorCode(), ConnectionError::TlsFailed);
    NOBODY_HEARD_US();
}

void tst_Tls::a8_errorsAreIgnoredOnlyIfAllAreNamed_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QString>("server");
    QTest::addColumn<QStringList>("ignored");
    QTest::addColumn<bool>("accepted");
    const auto add = [](const char *row, const char *server, const QStringList &ignored, bool accepted) {
        bothTransports(row, [&](QTestData &data) { data << s(server) << ignored << accepted; });
    };
    add("the right one", "self", {s("SelfSignedCertificate")}, true);
    add("and more", "self", {s("CertificateExpired"), s("SelfSignedCertificate")}, true);
    add("another", "self", {s("CertificateExpired")}, false);
    add("one of two", "old-elsewhere", {s("HostNameMismatch")}, false);
    add("the other of two", "old-elsewhere", {s("CertificateExpired")}, false);
    add("both", "old-elsewhere", {s("HostNameMismatch"), s("CertificateExpired")}, true);
}

void tst_Tls::a8_errorsAreIgnoredOnlyIfAllAreNamed()
{
    QFETCH(const QString, server);
    QFETCH(const QStringList, ignored);
    QFETCH(const bool, accepted);
    serve({server});
    open(config().setCaCertificates({made->path(s("ca.crt"))}).setIgnoreTlsErrors(ignored));
    QVERIFY2(isEstablished() == accepted, qPrintable(message()));
    if (accepted)
        return;
    QCOMPARE(connection->errorCode(), ConnectionError::TlsFailed);
    QVERIFY2(message().contains(s("ignoreTlsErrors names %1 only").arg(ignored.first())),
             qPrintable(message()));
    NOBODY_HEARD_US();
}

void tst_Tls::a8_anIgnoredErrorIsLoggedEachTime()
{
    const LogRecorder log;
    for (int i = 1; i <= 2; ++i) {
        serve({s("self")});
        open(config().setIgnoreTlsErrors({s("SelfSignedCertificate")}));
        QVERIFY2(isEstablished(), qPrintable(message()));
        QCOMPARE(log.lines().filter(s("ignoreTlsErrors")).size(), i);
        QVERIFY(log.lines().constLast().contains(s("SelfSignedCertificate")));
        raw->finish();
        QTRY_COMPARE(connection->state(), Connection::Error);
    }
}

void tst_Tls::a8_pinsMustMatch_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QStringList>("chain");
    QTest::addColumn<QStringList>("pinned"); // names of certificates
    QTest::addColumn<bool>("accepted");
    const auto add = [](const char *row, const QStringList &chain, const QStringList &pinned, bool accepted) {
        QTest::newRow(row) << Frame << chain << pinned << accepted;
    };
    add("the server's own", {s("good")}, {s("good")}, true);
    add("an RSA key", {s("rsa")}, {s("rsa")}, true);
    add("a CA that is not sent", {s("good")}, {s("ca")}, true);
    add("a CA that is sent", {s("good"), s("ca")}, {s("ca")}, true);
    add("an intermediate", {s("chained"), s("middle")}, {s("middle")}, true);
    add("the CA of an intermediate", {s("chained"), s("middle")}, {s("ca")}, true);
    add("one of two", {s("good")}, {s("stranger"), s("good")}, true);
    add("another", {s("good")}, {s("rsa")}, false);
    add("another CA", {s("good"), s("ca")}, {s("stranger")}, false);
    // A server may send along whatever it found: a pinned certificate that did not sign its own proves nothing.
    add("a CA that has not signed", {s("good"), s("stranger")}, {s("stranger")}, false);
    add("an intermediate that has not signed", {s("good"), s("middle")}, {s("middle")}, false);
    add("a neighbour that was sent along", {s("good"), s("rsa")}, {s("rsa")}, false);
}

void tst_Tls::a8_pinsMustMatch()
{
    QFETCH(const QStringList, chain);
    QFETCH(const QStringList, pinned);
    QFETCH(const bool, accepted);
    QStringList pins;
    for (const QString &name : pinned)
        pins.append(made->pin(name));
    serve(chain);
    // Both are trusted: pins are on top of that.
    open(config()
             .setCaCertificates({made->path(s("ca.crt")), made->path(s("stranger.crt"))})
             .setPinnedPublicKeys(pins));
    QVERIFY2(isEstablished() == accepted, qPrintable(message()));
    if (accepted)
        return;
    QCOMPARE(connection->errorCode(), ConnectionError::TlsFailed);
    for (const QString &name : chain)
        QVERIFY2(message().contains(made->pin(name)), qPrintable(message()));
    NOBODY_HEARD_US();
}

void tst_Tls::a8_pinsAreThoseOfOpenssl_data()
{
    QTest::addColumn<QStringList>("keyType");
    QTest::newRow("P-256") << Certificates::Wish().keyType;
    QTest::newRow("P-384") << QStringList{s("-newkey"), s("ec"), s("-pkeyopt"), s("ec_paramgen_curve:P-384")};
    QTest::newRow("RSA 3072") << QStringList{s("-newkey"), s("rsa:3072")};
    QTest::newRow("Ed25519") << QStringList{s("-newkey"), s("ed25519")};
}

void tst_Tls::a8_pinsAreThoseOfOpenssl()
{
    QFETCH(const QStringList, keyType);
    Certificates::Wish wish;
    wish.keyType = keyType;
    made->make(s("any"), wish);
    QCOMPARE(Pinning::pinOf(made->certificate(s("any"))), made->pin(s("any")));
    QCOMPARE(Pinning::pinOf(QSslCertificate()), QString());
}

void tst_Tls::a8_qwebsocketRefusesPins()
{
    serve({s("good")});
    connection->open(ConnectionConfig()
                         .setUrl(raw->url())
                         .setTransport(ConnectionConfig::Transport::QWebSocket)
                         .setCaCertificates({made->path(s("ca.crt"))})
                         .setPinnedPublicKeys({made->pin(s("good"))}));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::InvalidConfiguration);
    QVERIFY2(message().contains(s("transport")), qPrintable(message()));
    QCOMPARE(raw->connections(), 0);
}

// ---- Who we are ----

void tst_Tls::a8_clientCertificates_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QString>("certificate");
    QTest::addColumn<QString>("key");
    QTest::addColumn<bool>("accepted");
    const auto add = [](const char *row, const QString &certificate, const QString &key, bool accepted) {
        bothTransports(row, [&](QTestData &data) { data << certificate << key << accepted; });
    };
    add("given", made->path(s("client.crt")), made->path(s("client.key")), true);
    add("as PEM text", QString::fromLatin1(made->pem(s("client.crt"))),
        QString::fromLatin1(made->pem(s("client.key"))), true);
    add("with its chain", made->bundle(s("branch.pem"), {s("branch-client"), s("middle")}),
        made->path(s("branch-client.key")), true);
    add("not given", {}, {}, false);
    add("by another CA", made->path(s("other-client.crt")), made->path(s("other-client.key")), false);
}

void tst_Tls::a8_clientCertificates()
{
    QFETCH(const QString, certificate);
    QFETCH(const QString, key);
    QFETCH(const bool, accepted);
    QSslConfiguration tls = made->server({s("good")});
    tls.setPeerVerifyMode(QSslSocket::VerifyPeer);
    tls.setCaCertificates({made->certificate(s("ca"))});
    raw = std::make_unique<RawServer>(tls);
    open(config()
             .setCaCertificates({made->path(s("ca.crt"))})
             .setClientCertificate(certificate)
             .setClientKey(key));
    QVERIFY2(isEstablished() == accepted, qPrintable(message()));
    if (!accepted) // Qt's server hangs up without an alert
        QVERIFY2(message().contains(s("127.0.0.1:")), qPrintable(message()));
}

void tst_Tls::a8_aServerThatWantsACertificateSaysSo_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QString>("client");
    QTest::addColumn<QString>("version");
    QTest::addColumn<QString>("advice");
    for (const char *version : {"-tls1_2", "-tls1_3"}) {
        bothTransports(qPrintable(s("not given ") + s(version)), [&](QTestData &data) {
            data << QString() << s(version) << s("set clientCertificate and clientKey");
        });
        bothTransports(qPrintable(s("by another CA ") + s(version)), [&](QTestData &data) {
            data << s("other-client") << s(version) << s("accepts the clientCertificate");
        });
    }
}

void tst_Tls::a8_aServerThatWantsACertificateSaysSo()
{
    QFETCH(const QString, client);
    QFETCH(const QString, version);
    QFETCH(const QString, advice);
    QProcess server;
    server.setWorkingDirectory(made->path(QString()));
    server.start(s("openssl"), {s("s_server"), s("-accept"), s("127.0.0.1:0"), s("-cert"), s("good.crt"),
                                s("-key"), s("good.key"), s("-CAfile"), s("ca.crt"), s("-Verify"), s("1"),
                                s("-verify_return_error"), s("-no_dhe"), version});
    QByteArray said;
    QTRY_VERIFY_WITH_TIMEOUT((said += server.readAllStandardOutput()).contains("ACCEPT 127.0.0.1:"), 30'000);
    const qsizetype at = said.indexOf("ACCEPT 127.0.0.1:") + 17;
    const int port = said.mid(at, said.indexOf('\n', at) - at).trimmed().toInt();
    ConnectionConfig configured =
        config().setUrl(s("wss://127.0.0.1:%1/").arg(port)).setCaCertificates({made->path(s("ca.crt"))});
    if (!client.isEmpty())
        configured.setClientCertificate(made->path(client + s(".crt")))
            .setClientKey(made->path(client + s(".key")));
    open(configured);
    QTRY_COMPARE_WITH_TIMEOUT(connection->state(), Connection::Error, 30'000);
    QVERIFY2(connection->errorCode() == ConnectionError::TlsFailed, qPrintable(message()));
    QVERIFY2(message().contains(advice), qPrintable(message()));
    server.kill();
    server.waitForFinished();
}

// ---- What cannot be used ----

void tst_Tls::a8_unusableOptionsAreFinal_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QStringList>("values"); // caCertificates, clientCertificate, clientKey
    QTest::addColumn<QStringList>("says");
    const auto add = [](const char *row, const QStringList &values, const QStringList &says) {
        bothTransports(row, [&](QTestData &data) { data << values << says; });
    };
    made->openssl({s("pkey"), s("-in"), s("client.key"), s("-aes128"), s("-passout"), s("pass:x"), s("-out"),
                   s("locked.key")});
    made->openssl({s("genpkey"), s("-algorithm"), s("ed25519"), s("-out"), s("ed25519.key")});
    made->openssl({s("x509"), s("-in"), s("ca.crt"), s("-outform"), s("der"), s("-out"), s("ca.der")});
    const QString ca = made->path(s("ca.crt"));
    const QString certificate = made->path(s("client.crt"));
    const QString key = made->path(s("client.key"));
    const QString nowhere = made->path(s("nowhere.pem"));
    QString broken = QString::fromLatin1(made->pem(s("ca.crt")));
    broken.replace(broken.size() / 2, 20, QLatin1String("####################"));

    add("no such CA file", {nowhere, {}, {}}, {s("caCertificates: "), nowhere, s("cannot be read")});
    add("a folder as CA", {made->path({}), {}, {}}, {s("caCertificates: "), s("cannot be read")});
    add("no such resource", {s(":/nothing.pem"), {}, {}},
        {s("caCertificates: :/nothing.pem cannot be read")});
    add("a key as CA", {key, {}, {}}, {s("caCertificates: "), key, s("no certificate")});
    add("a DER file as CA", {made->path(s("ca.der")), {}, {}}, {s("caCertificates: "), s("-inform der")});
    add("a broken CA", {broken, {}, {}}, {s("caCertificates: the PEM text"), s("number 1 of 1")});
    add("no such certificate", {ca, nowhere, key}, {s("clientCertificate: "), nowhere, s("cannot be read")});
    add("a key as certificate", {ca, key, key}, {s("clientCertificate: "), s("no certificate")});
    add("no such key", {ca, certificate, nowhere}, {s("clientKey: "), nowhere, s("cannot be read")});
    add("a certificate as key", {ca, certificate, certificate}, {s("clientKey: "), s("no private key")});
    add("an encrypted key", {ca, certificate, made->path(s("locked.key"))},
        {s("clientKey: "), s("encrypted")});
    add("an Ed25519 key", {ca, certificate, made->path(s("ed25519.key"))},
        {s("clientKey: "), s("RSA or EC")});
    add("a key alone", {ca, {}, key}, {s("clientKey: "), s("Set clientCertificate")});
    add("a certificate alone", {ca, certificate, {}}, {s("clientCertificate: "), s("Set clientKey")});
    add("another's key", {ca, certificate, made->path(s("good.key"))}, {s("clientKey: "), s("made for")});
    add("another's RSA key", {ca, certificate, made->path(s("rsa.key"))}, {s("clientKey: "), s("made for")});
}

void tst_Tls::a8_unusableOptionsAreFinal()
{
    QFETCH(const QStringList, values);
    QFETCH(const QStringList, says);
    serve({s("good")});
    ConnectionConfig configured = config().setCaCertificates({values.at(0)}).setAutoReconnect(true);
    if (!values.at(1).isEmpty())
        configured.setClientCertificate(values.at(1));
    if (!values.at(2).isEmpty())
        configured.setClientKey(values.at(2));
    QSignalSpy retried(connection, &Connection::reconnecting);
    open(configured);
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::InvalidConfiguration);
    QCOMPARE(retried.size(), 0);
    for (const QString &part : says)
        QVERIFY2(message().contains(part), qPrintable(message()));
    QVERIFY(!message().contains(s("BEGIN PRIVATE")));
    NOBODY_HEARD_US();
}

// ---- What the handshake says ----

namespace {

// Remembers what it is sent, and answers it with these bytes.
class PlainServer : public QObject
{
public:
    explicit PlainServer(const QByteArray &answer)
    {
        if (!m_server.listen(QHostAddress::LocalHost))
            qFatal("no port");
        connect(&m_server, &QTcpServer::newConnection, this, [this, answer] {
            QTcpSocket *socket = m_server.nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, this, [this, socket, answer] {
                received += socket->readAll();
                socket->write(answer);
                if (answer.contains("Connection: close"))
                    socket->disconnectFromHost();
            });
        });
    }
    [[nodiscard]] int port() const { return m_server.serverPort(); }

    QByteArray received;

private:
    QTcpServer m_server;
};

// The extensions of a ClientHello (RFC 8446 §4.1.2) by their number.
QHash<int, QByteArray> extensionsOf(const QByteArray &hello)
{
    const auto number = [&](qsizetype at, int size) {
        int value = 0;
        for (int i = 0; i < size && at + i < hello.size(); ++i)
            value = value << 8 | uchar(hello.at(at + i));
        return value;
    };
    qsizetype at = 5 + 4 + 2 + 32; // record, handshake, legacy_version, random
    at += 1 + number(at, 1);       // session id
    at += 2 + number(at, 2);       // cipher suites
    at += 1 + number(at, 1);       // compression methods
    at += 2;
    QHash<int, QByteArray> found;
    while (at + 4 <= hello.size()) {
        found.insert(number(at, 2), hello.mid(at + 4, number(at + 2, 2)));
        at += 4 + number(at + 2, 2);
    }
    return found;
}

} // namespace

void tst_Tls::a8_nothingBelowTls12()
{
    // A ServerHello that chooses TLS 1.1 with a cipher of its time (RFC 5246 §7.4.1.3).
    const QByteArray hello =
        QByteArray("\x02\x00\x00\x26\x03\x02", 6) + QByteArray(32, 'r') + QByteArray("\x00\xc0\x14\x00", 4);
    PlainServer server(QByteArray("\x16\x03\x02\x00", 4) + char(hello.size()) + hello);
    open(config().setUrl(s("wss://127.0.0.1:%1/").arg(server.port())));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::TlsFailed);
    QVERIFY2(message().contains(s("TLS 1.2 or newer")), qPrintable(message()));
    QVERIFY(!server.received.contains("GET"));
}

void tst_Tls::a8_theClientHelloNamesTheHost()
{
    PlainServer server({});
    open(config().setUrl(s("wss://localhost:%1/").arg(server.port())));
    const auto isWhole = [&] {
        return server.received.size() > 5 &&
               server.received.size() >= 5 + qFromBigEndian<quint16>(server.received.constData() + 3);
    };
    QTRY_VERIFY(isWhole());
    QCOMPARE(server.received.mid(9, 2), QByteArray("\x03\x03")); // legacy_version
    const QHash<int, QByteArray> extensions = extensionsOf(server.received);
    // server_name (RFC 6066 §3): a list of one name of type 0
    QCOMPARE(extensions.value(0), QByteArray("\x00\x0c\x00\x00\x09localhost", 14));
    // supported_versions: a byte of size, then two for each
    const QByteArray versions = extensions.value(43).mid(1);
    QVERIFY(!versions.isEmpty());
    for (qsizetype i = 0; i + 1 < versions.size(); i += 2)
        QVERIFY2(versions.mid(i, 2) >= QByteArray("\x03\x03"), versions.toHex(' ').constData());
}

void tst_Tls::a8_aServerWithoutTlsIsNamedSo()
{
    PlainServer server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    open(config().setUrl(s("wss://127.0.0.1:%1/").arg(server.port())));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::TlsFailed);
    QVERIFY2(message().contains(s("speaks no TLS")), qPrintable(message()));
}

void tst_Tls::a8_redirectsKeepTheOptions_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QString>("second");
    QTest::addColumn<QString>("pinned");
    QTest::addColumn<bool>("accepted");
    QTest::newRow("the same CA") << Frame << s("rsa") << s("ca") << true;
    QTest::newRow("another CA") << Frame << s("strange") << QString() << false;
    QTest::newRow("another key") << Frame << s("rsa") << s("good") << false;
}

void tst_Tls::a8_redirectsKeepTheOptions()
{
    QFETCH(const QString, second);
    QFETCH(const QString, pinned);
    QFETCH(const bool, accepted);
    serve({second});
    RawServer first(made->server({s("good")}));
    first.setAnswer("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + raw->url().toEncoded() +
                    "\r\n\r\n");
    // To another port goes only who has no token to lose there.
    ConnectionConfig configured = config()
                                      .setUrl(first.url())
                                      .setAuthentication(ConnectionConfig::Authentication::None)
                                      .setCaCertificates({made->path(s("ca.crt"))})
                                      .setFollowRedirects(true);
    if (!pinned.isEmpty())
        configured.setPinnedPublicKeys({made->pin(pinned)});
    open(configured);
    QTRY_VERIFY(connection->isConnected() || connection->state() == Connection::Error);
    QVERIFY2(connection->isConnected() == accepted, qPrintable(message()));
    if (accepted)
        return;
    QCOMPARE(connection->errorCode(), ConnectionError::TlsFailed);
    QVERIFY(!first.request().isEmpty());
    NOBODY_HEARD_US();
}

// ---- What goes through ----

void tst_Tls::overIpv6()
{
    // Where the machine has no IPv6, the error must tell the address as a URL has it.
    if (!QTcpServer().listen(QHostAddress::LocalHostIPv6)) {
        connection->open(config().setUrl(s("wss://[::1]:1/")));
        QTRY_VERIFY(!connection->error().isEmpty());
        QVERIFY2(connection->error().contains(s("[::1]:1")), qPrintable(connection->error()));
        return;
    }
    raw = std::make_unique<RawServer>(made->server({s("good")}), QHostAddress(QHostAddress::LocalHostIPv6));
    QVERIFY(raw->url().toString().startsWith(s("wss://[::1]:")));
    open(config().setCaCertificates({made->path(s("ca.crt"))}));
    QVERIFY2(isEstablished(), qPrintable(message()));
}

void tst_Tls::headersAndSubprotocolsArriveOverTls()
{
    serve({s("good")});
    raw->setAnswer(
        RawServer::upgrade().replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: v2.example\r\n\r\n"));
    QUrl url = raw->url();
    url.setHost(s("localhost"));
    open(config()
             .setUrl(url)
             .setCaCertificates({made->path(s("ca.crt"))})
             .setHeaders({{s("X-Tenant"), s("seven")}})
             .setProtocols({s("v2.example"), s("v1.example")}));
    QVERIFY2(isEstablished(), qPrintable(message()));
    // From Qt 6.7 on, QWebSocket sends the names in lower case.
    QVERIFY(raw->request().toLower().contains("x-tenant: seven\r\n"));
    QVERIFY(raw->request().contains("Sec-WebSocket-Protocol: v2.example, v1.example\r\n"));
    QVERIFY(raw->request().contains("Host: localhost:" + QByteArray::number(url.port())));
}

// ---- Proxies ----

void tst_Tls::theOptionProxyIsUsed_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("tls");
    for (const bool tls : {false, true}) {
        const QString end = tls ? s(" TLS") : QString();
        bothTransports(qPrintable(s("HTTP") + end),
                       [&](QTestData &data) { data << int(ProxyServer::Kind::Http) << tls; });
        bothTransports(qPrintable(s("SOCKS5") + end),
                       [&](QTestData &data) { data << int(ProxyServer::Kind::Socks5) << tls; });
    }
}

void tst_Tls::theOptionProxyIsUsed()
{
    QFETCH(const int, kind);
    QFETCH(const bool, tls);
    if (tls)
        serve({s("good")});
    else
        raw = std::make_unique<RawServer>();
    const ProxyServer proxy{ProxyServer::Kind(kind)};
    QNetworkProxy::setApplicationProxy(QNetworkProxy::NoProxy); // the option's alone
    QUrl url = raw->url();
    url.setHost(s(ProxyServer::Host)); // which it alone can resolve
    ConnectionConfig configured = config().setUrl(url).setAllowInsecureAuth(true).setProxy(proxy.url());
    if (tls) // with ws:// they would do nothing, and are refused
        configured.setCaCertificates({made->path(s("ca.crt"))});
    open(configured);
    QVERIFY2(isEstablished(), qPrintable(message()));
    QCOMPARE(proxy.tunnels(), 1);
    raw->finish();
    QTRY_COMPARE(connection->state(), Connection::Error);
}

void tst_Tls::noneIsNoProxy()
{
    raw = std::make_unique<RawServer>();
    const ProxyServer proxy(ProxyServer::Kind::Http); // the application's
    QUrl url = raw->url();
    url.setHost(s(ProxyServer::Host));
    open(config().setUrl(url).setAllowInsecureAuth(true).setProxy(s("none")));
    QTRY_COMPARE_WITH_TIMEOUT(connection->state(), Connection::Error, 20'000);
    QCOMPARE(connection->errorCode(), ConnectionError::HostNotFound);
    QCOMPARE(proxy.tunnels(), 0);
}

void tst_Tls::a7_aProxysPasswordIsInNoMessage_data()
{
    QTest::addColumn<int>("transport");
    QTest::addColumn<QString>("scheme");
    QTest::addColumn<QByteArray>("answer"); // empty: nobody listens
    for (const char *scheme : {"http", "socks5"}) {
        bothTransports(qPrintable(s(scheme) + s(" refused")),
                       [&](QTestData &data) { data << s(scheme) << QByteArray(); });
    }
    bothTransports("http 407", [](QTestData &data) {
        data << s("http")
             << QByteArray(
                    "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n"
                    "Connection: close\r\n\r\n");
    });
    bothTransports("socks5 refuses", [](QTestData &data) { data << s("socks5") << QByteArray("\x05\xff"); });
}

void tst_Tls::a7_aProxysPasswordIsInNoMessage()
{
    QFETCH(const QString, scheme);
    QFETCH(const QByteArray, answer);
    const LogRecorder log;
    auto proxy = std::make_unique<PlainServer>(answer);
    const int port = proxy->port();
    if (answer.isEmpty())
        proxy.reset();
    raw = std::make_unique<RawServer>();
    connection->setDebug(true);
    open(config().setProxy(s("%1://me:s3cret@127.0.0.1:%2").arg(scheme).arg(port)).setConnectTimeout(20s));
    QTRY_COMPARE_WITH_TIMEOUT(connection->state(), Connection::Error, 30'000);
    QVERIFY2(connection->errorCode() == ConnectionError::ConnectionRefused, qPrintable(message()));
    QVERIFY2(message().contains(s("%1://127.0.0.1:%2").arg(scheme).arg(port)), qPrintable(message()));
    QVERIFY(!message().contains(s("s3cret")));
    QVERIFY(log.lines().filter(s("s3cret")).isEmpty());
    QCOMPARE(raw->connections(), 0);
}

QTEST_MAIN(tst_Tls)
#include "tst_tls.moc"
