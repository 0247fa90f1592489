// SPDX-License-Identifier: MIT
//
// ".env" files (rule C2).
#include "client/environmentfile.h"
#include "support/logrecorder.h"

#include <Everwire/WebSocketProvider>

#include <QFile>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

using Values = QHash<QString, QString>;

EnvironmentFile parse(const QByteArray &bytes)
{
    return EnvironmentFile::parse(
        bytes, [](const QString &name) { return name == u"HOST"_s ? u"example.com"_s : QString(); });
}

} // namespace

class TestEnvironmentFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void c2_good_data();
    void c2_good();
    void c2_bad_data();
    void c2_bad();
    void c2_badLinesLeaveTheOthers();
    void c2_anythingAtAll();
    void c2_referencesDoNotExplode();

    void c2_theGuidesFiles();
    void c1_precedence();
    void c2_theLastFileGoesFirst();
    void c2_urlsAndResources();
    void c2_problemsAreToldByLineAndWithoutValues();
    void c2_filesThatAreNone();
    void c5_openConnectionsLearnOfIt();

private:
    [[nodiscard]] QString write(const QByteArray &bytes, const QString &name = u".env"_s) const;

    std::unique_ptr<QTemporaryDir> folder;
    std::unique_ptr<WebSocketProvider> provider;
};

void TestEnvironmentFile::init()
{
    folder = std::make_unique<QTemporaryDir>();
    provider = std::make_unique<WebSocketProvider>();
}

void TestEnvironmentFile::cleanup()
{
    qunsetenv("SIMULATION_WS_URL");
    qunsetenv("NEXT_PUBLIC_SIMULATION_WS_URL");
    provider.reset();
}

QString TestEnvironmentFile::write(const QByteArray &bytes, const QString &name) const
{
    QFile file(folder->filePath(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("a test's file could not be written");
    return file.fileName();
}

void TestEnvironmentFile::c2_good_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<Values>("values");
    const auto row = [](const char *name, const QByteArray &bytes, const Values &values) {
        QTest::newRow(name) << bytes << values;
    };
    row("nothing", "", {});
    row("comments and blank lines", "# one\n\n   # two\n\t\n", {});
    row("plain", "A=b", {{u"A"_s, u"b"_s}});
    row("spaces", "  A = b c \t\nB=\n", {{u"A"_s, u"b c"_s}, {u"B"_s, u""_s}});
    row("export", "export A=b\nexport\tB=c\nexport=d",
        {{u"A"_s, u"b"_s}, {u"B"_s, u"c"_s}, {u"export"_s, u"d"_s}});
    row("comment behind", "A=b # c\nB=b#c\nC=#c", {{u"A"_s, u"b"_s}, {u"B"_s, u"b#c"_s}, {u"C"_s, u""_s}});
    row("a fragment", "A=ws://h/p?a=b#c", {{u"A"_s, u"ws://h/p?a=b#c"_s}});
    row("single quotes", "A='b $HOST \\n # c' # d", {{u"A"_s, u"b $HOST \\n # c"_s}});
    row("double quotes", R"(A="b\n\r\t\"\\\$HOST # c")", {{u"A"_s, u"b\n\r\t\"\\$HOST # c"_s}});
    row("other escapes stay", R"(A="\d\x")", {{u"A"_s, u"\\d\\x"_s}});
    row("bare backslashes stay", R"(A=C:\new\table)", {{u"A"_s, u"C:\\new\\table"_s}});
    row("several lines", "A=\"one\ntwo\"\nB='three\n\nfour'\nC=d",
        {{u"A"_s, u"one\ntwo"_s}, {u"B"_s, u"three\n\nfour"_s}, {u"C"_s, u"d"_s}});
    row("references", "P=80\nA=ws://$HOST:${P}/\nB=\"${HOST}\"\nC=\\$HOST",
        {{u"P"_s, u"80"_s},
         {u"A"_s, u"ws://example.com:80/"_s},
         {u"B"_s, u"example.com"_s},
         {u"C"_s, u"$HOST"_s}});
    row("the file goes before the environment", "HOST=mine\nA=$HOST",
        {{u"HOST"_s, u"mine"_s}, {u"A"_s, u"mine"_s}});
    row("a lone dollar", "A=5$\nB=$5", {{u"A"_s, u"5$"_s}, {u"B"_s, u"$5"_s}});
    row("the last one counts", "A=1\nA=2", {{u"A"_s, u"2"_s}});
    row("CRLF", "A=b\r\nB='c\r\nd'\r\n", {{u"A"_s, u"b"_s}, {u"B"_s, u"c\nd"_s}});
    row("CR", "A=b\rB=c\r", {{u"A"_s, u"b"_s}, {u"B"_s, u"c"_s}});
    row("BOM",
        "\xef\xbb\xbf"
        "A=b",
        {{u"A"_s, u"b"_s}});
    row("UTF-8", "A=gr\xc3\xbc\xc3\x9f", {{u"A"_s, u"grüß"_s}});
}

void TestEnvironmentFile::c2_good()
{
    QFETCH(QByteArray, bytes);
    QFETCH(Values, values);
    const EnvironmentFile file = parse(bytes);
    for (const auto &problem : file.problems())
        qWarning() << problem.line << problem.what;
    QVERIFY(file.problems().isEmpty());
    QCOMPARE(file.values(), values);
}

void TestEnvironmentFile::c2_bad_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("line");
    QTest::addColumn<QString>("what");
    const auto row = [](const char *name, const QByteArray &bytes, int line, const QString &what) {
        QTest::newRow(name) << bytes << line << what;
    };
    row("no equals", "\nA", 2, u"no \"=\""_s);
    row("two words", "A B=c", 1, u"no \"=\""_s);
    row("no name", "=b", 1, u"name is missing"_s);
    row("a digit first", "1A=b", 1, u"name is missing"_s);
    row("a dash", "A-B=c", 1, u"no \"=\""_s);
    row("not closed", "\n\nA=\"b\nB=c", 3, u"\" is not closed"_s);
    row("not closed, single", "A='b", 1, u"' is not closed"_s);
    row("behind the quote", "A=\"b\"c", 1, u"behind the closing quote"_s);
    row("behind the quote, later", "A='b\n\n'c", 1, u"behind the closing quote"_s);
    row("unknown reference", "A=${NOWHERE}", 1, u"NOWHERE is used before"_s);
    row("later reference", "A=$B\nB=c", 1, u"B is used before"_s);
    row("open brace", "A=${HOST", 1, u"\"${\""_s);
    row("empty braces", "A=${}", 1, u"\"${\""_s);
    row("NUL", QByteArray("A=b\0c", 5), 1, u"NUL"_s);
    row("not UTF-8", "A=b\nB=\xff\xfe", 2, u"not UTF-8"_s);
    row("UTF-16",
        QByteArray("\xff\xfe"
                   "A\0=\0b\0",
                   8),
        1, u"save it as UTF-8"_s);
}

void TestEnvironmentFile::c2_bad()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, line);
    QFETCH(QString, what);
    const EnvironmentFile file = parse(bytes);
    QCOMPARE(file.problems().size(), 1);
    QCOMPARE(file.problems().first().line, line);
    QVERIFY2(file.problems().first().what.contains(what), qPrintable(file.problems().first().what));
}

void TestEnvironmentFile::c2_badLinesLeaveTheOthers()
{
    const EnvironmentFile file = parse("A=1\nbad\nB='x'y\nC=3\n$\nD=\"open\nE=5\n");
    QList<int> lines;
    for (const auto &problem : file.problems())
        lines.append(problem.line);
    QCOMPARE(lines, (QList<int>{2, 3, 5, 6}));
    QCOMPARE(file.values(), (Values{{u"A"_s, u"1"_s}, {u"C"_s, u"3"_s}, {u"E"_s, u"5"_s}}));
}

// No crash, no hang, and each line is either good or reported.
void TestEnvironmentFile::c2_anythingAtAll()
{
    const QByteArray alphabet("AB= '\"\\$#{}\n\r\t\0\xc3\xff", 17);
    QRandomGenerator random(42);
    for (int round = 0; round < 2000; ++round) {
        QByteArray bytes;
        for (int i = random.bounded(200); i > 0; --i)
            bytes.append(alphabet.at(random.bounded(int(alphabet.size()))));
        int last = 0;
        const EnvironmentFile file = parse(bytes);
        for (const auto &problem : file.problems()) {
            QVERIFY(problem.line > last);
            last = problem.line;
        }
    }
}

void TestEnvironmentFile::c2_referencesDoNotExplode()
{
    QByteArray doubling = "A0=xxxxxxxxxxxxxxxx\n";
    for (int i = 0; i < 60; ++i)
        doubling += "A" + QByteArray::number(i + 1) + "=$A" + QByteArray::number(i) + "$A" +
                    QByteArray::number(i) + "\n";
    const EnvironmentFile file = parse(doubling);
    QVERIFY(!file.problems().isEmpty());
    qsizetype size = 0;
    for (const QString &value : file.values())
        size += value.size();
    QVERIFY(size < 4 * 1024 * 1024);
}

void TestEnvironmentFile::c2_theGuidesFiles()
{
    const QString cloud =
        write("NEXT_PUBLIC_SIMULATION_WS_URL=wss://your-api.execute-api.region.amazonaws.com/dev\n"
              "NEXT_PUBLIC_NOTIFICATIONS_WS_URL=wss://your-notifications.execute-api.region."
              "amazonaws.com/prod\n",
              u".env.dev-cloud"_s);
    const QString local = write("NEXT_PUBLIC_SIMULATION_WS_URL=ws://localhost:5003\n"
                                "NEXT_PUBLIC_NOTIFICATIONS_WS_URL=ws://localhost:5004\n",
                                u".env.development"_s);
    QVERIFY(provider->loadEnvironmentFile(cloud));
    QCOMPARE(provider->configuration(u"simulation"_s).url(),
             u"wss://your-api.execute-api.region.amazonaws.com/dev"_s);
    QVERIFY(provider->loadEnvironmentFile(local));
    QCOMPARE(provider->configuration(u"simulation"_s).url(), u"ws://localhost:5003"_s);
    QCOMPARE(provider->configuration(u"notifications"_s).url(), u"ws://localhost:5004"_s);
    QVERIFY(!qEnvironmentVariableIsSet("NEXT_PUBLIC_SIMULATION_WS_URL"));
    QCOMPARE(WebSocketProvider().configuration(u"simulation"_s).url(), QString()); // each provider its own
}

void TestEnvironmentFile::c1_precedence()
{
    const auto url = [this] { return provider->connection(u"simulation"_s)->configuration().url(); };
    QVERIFY(provider->loadEnvironmentFile(write("NEXT_PUBLIC_SIMULATION_WS_URL=ws://web.file")));
    QCOMPARE(url(), u"ws://web.file"_s);
    QVERIFY(provider->loadEnvironmentFile(write("SIMULATION_WS_URL=ws://file")));
    QCOMPARE(url(), u"ws://file"_s);
    qputenv("NEXT_PUBLIC_SIMULATION_WS_URL", "ws://web.process");
    QCOMPARE(url(), u"ws://web.process"_s);
    qputenv("SIMULATION_WS_URL", "ws://process");
    QCOMPARE(url(), u"ws://process"_s);
    QVERIFY(provider->configure(u"simulation"_s, ConnectionConfig().setUrl(u"ws://configured"_s)));
    QCOMPARE(url(), u"ws://configured"_s);
}

void TestEnvironmentFile::c2_theLastFileGoesFirst()
{
    QVERIFY(provider->loadEnvironmentFile(write("A_WS_URL=ws://first\nB_WS_URL=ws://b\nHOST_OF_C=c")));
    QVERIFY(provider->loadEnvironmentFile(write("A_WS_URL=ws://second\nC_WS_URL=ws://$HOST_OF_C")));
    QCOMPARE(provider->configuration(u"a"_s).url(), u"ws://second"_s);
    QCOMPARE(provider->configuration(u"b"_s).url(), u"ws://b"_s);
    QCOMPARE(provider->configuration(u"c"_s).url(), u"ws://c"_s);
}

void TestEnvironmentFile::c2_urlsAndResources()
{
    const QString path = write("A_WS_URL=ws://a", u"with space.env"_s);
    QVERIFY(provider->loadEnvironmentFile(QUrl::fromLocalFile(path).toString(QUrl::FullyEncoded)));
    QCOMPARE(provider->configuration(u"a"_s).url(), u"ws://a"_s);
    const LogRecorder log;
    QVERIFY(!provider->loadEnvironmentFile(u"qrc:/nowhere.env"_s));
    QVERIFY(log.lines().value(0).startsWith(":/nowhere.env: "_L1));
}

void TestEnvironmentFile::c2_problemsAreToldByLineAndWithoutValues()
{
    const LogRecorder log;
    const QString path = write("A_WS_URL=ws://a\nPASSWORD=\"SECRET\nSECRET\n");
    QVERIFY(!provider->loadEnvironmentFile(path));
    QCOMPARE(provider->configuration(u"a"_s).url(), u"ws://a"_s);
    QCOMPARE(log.lines(),
             (QStringList{path + u":2: the quote \" is not closed; the line is left out"_s,
                          path + u":3: there is no \"=\" behind the name; the line is left out"_s}));
}

void TestEnvironmentFile::c2_filesThatAreNone()
{
    const LogRecorder log;
    QVERIFY(!provider->loadEnvironmentFile(folder->filePath(u"missing"_s)));
    QVERIFY(!provider->loadEnvironmentFile(folder->path()));
    QVERIFY(!provider->loadEnvironmentFile(QString()));
    QVERIFY(!provider->loadEnvironmentFile(write(QByteArray(10 * 1024 * 1024, 'A'))));
    QVERIFY(!provider->loadEnvironmentFile(write("A_WS_URL=ws://a\n" + QByteArray(1024 * 1024, '#'))));
    QCOMPARE(log.lines().size(), 5);
    QVERIFY(log.lines().last().contains("larger than 1024 KiB"_L1));
    QCOMPARE(provider->configuration(u"a"_s).url(), QString());
    QVERIFY(provider->loadEnvironmentFile(write("A_WS_URL=ws://a\n" + QByteArray(1024 * 1024 - 16, '#'))));
    QCOMPARE(provider->configuration(u"a"_s).url(), u"ws://a"_s);
}

void TestEnvironmentFile::c5_openConnectionsLearnOfIt()
{
    Connection *connection = provider->connection(u"a"_s);
    connection->open();
    QCOMPARE(connection->errorCode(), ConnectionError::NotConfigured);
    QVERIFY(provider->loadEnvironmentFile(write("A_WS_URL=ws://127.0.0.1:1/")));
    connection->open();
    QCOMPARE(connection->state(), Connection::Connecting);
    QCOMPARE(connection->url(), QUrl(u"ws://127.0.0.1:1/"_s));
}

QTEST_GUILESS_MAIN(TestEnvironmentFile)
#include "tst_environmentfile.moc"
