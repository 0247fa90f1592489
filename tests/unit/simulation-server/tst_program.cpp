// SPDX-License-Identifier: MIT
#include "jsonwebtoken.h"
#include "testclient.h"

#include <QDateTime>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;

namespace {

const QByteArray secret(32, 'p');

// The program with its secret in the environment; an empty one is not set at all.
class Program : public QProcess
{
public:
    explicit Program(const QStringList &arguments, const QByteArray &withSecret = secret)
    {
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.remove(u"EVERWIRE_JWT_SECRET"_s);
        if (!withSecret.isEmpty())
            environment.insert(u"EVERWIRE_JWT_SECRET"_s, QString::fromLatin1(withSecret));
        setProcessEnvironment(environment);
        setProgram(QStringLiteral(EVERWIRE_SERVER_PROGRAM));
        setArguments(arguments);
        start();
    }

    ~Program() override
    {
        kill();
        waitForFinished();
    }
};

} // namespace

class TestProgram : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void secretIsNeeded_data();
    void secretIsNeeded();
    void issuesTokens();
    void servesAndEndsWithItsInput();
    void badScenarios();
    void wrongArguments_data();
    void wrongArguments();
};

void TestProgram::secretIsNeeded_data()
{
    QTest::addColumn<QByteArray>("withSecret");
    QTest::addColumn<QByteArray>("message");
    QTest::newRow("none") << QByteArray() << QByteArray("EVERWIRE_JWT_SECRET is not set");
    QTest::newRow("short") << QByteArray(31, 'p') << QByteArray("EVERWIRE_JWT_SECRET is too short");
}

void TestProgram::secretIsNeeded()
{
    QFETCH(QByteArray, withSecret);
    QFETCH(QByteArray, message);
    for (const QString &option : {u"--issue-token"_s, u"--port=0"_s}) {
        Program program({option}, withSecret);
        QVERIFY(program.waitForFinished());
        QCOMPARE(program.exitCode(), 1);
        const QByteArray errors = program.readAllStandardError();
        QVERIFY2(errors.contains(message) && errors.contains("32"), errors.constData());
        QVERIFY(program.readAllStandardOutput().isEmpty());
    }
}

void TestProgram::issuesTokens()
{
    Program program({u"--issue-token"_s, u"--user"_s, u"ann"_s, u"--ttl"_s, u"100"_s});
    QVERIFY(program.waitForFinished());
    QCOMPARE(program.exitCode(), 0);
    const QByteArray token = program.readAllStandardOutput().trimmed();
    const qint64 now = QDateTime::currentSecsSinceEpoch();
    const TokenCheck check = verifyToken(token, secret, now);
    QVERIFY2(check.isValid(), qPrintable(check.error));
    QCOMPARE(check.claims.value(u"sub"_s).toString(), u"ann"_s);
    QCOMPARE(verifyToken(token, secret, now + 101).status, TokenCheck::Status::Expired);
}

void TestProgram::servesAndEndsWithItsInput()
{
    const QTemporaryDir out;
    Program program({u"--port"_s, u"0"_s, u"--out"_s, out.path(), u"--quit-on-stdin-close"_s});
    QTRY_VERIFY(program.canReadLine());
    const QByteArray line = program.readLine();
    QVERIFY2(line.startsWith("listening on ws://127.0.0.1:") && line.endsWith('\n'), line.constData());

    const QString token =
        QString::fromLatin1(issueToken(demoClaims(u"ann"_s, QDateTime::currentSecsSinceEpoch(), 60), secret));
    TestClient client;
    client.start(QUrl(QString::fromLatin1(line.mid(13).trimmed()) + u"/api/v1/simulations/cli/stream"_s),
                 token);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    client.sendChunk(1, QByteArray(32000, '\0'));
    client.completeTurn(1);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 2);
    QVERIFY(QFile::exists(out.filePath(u"cli/turn-1.wav"_s)));

    program.closeWriteChannel();
    QVERIFY(program.waitForFinished());
    QCOMPARE(program.exitCode(), 0);
    QTRY_VERIFY(client.ended);
    QVERIFY(program.readAllStandardOutput().isEmpty());
    QVERIFY(!program.readAllStandardError().contains(token.toLatin1()));
}

void TestProgram::badScenarios()
{
    const QTemporaryDir dir;
    QFile file(dir.filePath(u"bad.json"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(file.write("{\"id\": \"bad\"}") > 0);
    file.close();
    Program program({u"--port"_s, u"0"_s, u"--scenarios"_s, dir.path()});
    QVERIFY(program.waitForFinished());
    QCOMPARE(program.exitCode(), 2);
    const QByteArray errors = program.readAllStandardError();
    QVERIFY2(errors.contains("bad.json: key \"title\" is missing; add it"), errors.constData());

    // One good file beside the bad one is enough.
    QVERIFY(QFile::copy(u":/everwire/scenarios/feature-demo.json"_s, dir.filePath(u"good.json"_s)));
    Program again({u"--port"_s, u"0"_s, u"--scenarios"_s, dir.path()});
    QTRY_VERIFY(again.canReadLine());
    QByteArray warnings;
    QTRY_VERIFY((warnings += again.readAllStandardError()).contains("scenario skipped: bad.json"));
}

void TestProgram::wrongArguments_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("message");
    QTest::newRow("port") << QStringList{u"--port"_s, u"70000"_s} << QByteArray("--port must be a number");
    QTest::newRow("host") << QStringList{u"--host"_s, u"somewhere"_s}
                          << QByteArray("--host must be an IP address");
    QTest::newRow("form") << QStringList{u"--auth-error-form"_s, u"x"_s}
                          << QByteArray("auth-error or payload");
    QTest::newRow("ttl") << QStringList{u"--issue-token"_s, u"--ttl"_s, u"0"_s}
                         << QByteArray("--ttl must be");
    QTest::newRow("unknown") << QStringList{u"--secret"_s, u"x"_s} << QByteArray("Unknown option");
}

void TestProgram::wrongArguments()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, message);
    Program program(arguments);
    QVERIFY(program.waitForFinished());
    QCOMPARE(program.exitCode(), 1);
    const QByteArray errors = program.readAllStandardError();
    QVERIFY2(errors.contains(message), errors.constData());
}

QTEST_GUILESS_MAIN(TestProgram)
#include "tst_program.moc"
