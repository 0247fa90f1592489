// SPDX-License-Identifier: MIT
//
// Rules A7 and C4 over a whole run: the token and the payloads are looked for in everything that is logged, said by a
// signal, shown by a property or a model, printed by qDebug(), or written to a file, as they are and encoded.
#include <Everwire/HttpPreparation>
#include <Everwire/HttpTokenProvider>
#include <Everwire/NotificationFeed>
#include <Everwire/SimulationSession>
#include <Everwire/StaticTokenProvider>
#include <Everwire/WebSocketProvider>

#include "support/httpserver.h"
#include "support/logrecorder.h"
#include "support/testserver.h"

#include <QDirIterator>
#include <QLoggingCategory>
#include <QMetaProperty>
#include <QScopeGuard>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <vector>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

const QByteArray Token = "eyJhbGciOiJIUzI1NiJ9.SECRETTOKEN.c2lnbmF0dXJl";
const QByteArray Payload = "SECRETPAYLOAD-of-the-user";

// The text and what it becomes in other encodings; of base64 what is the same whatever stands before it.
QList<QByteArray> formsOf(const QByteArray &secret)
{
    QList<QByteArray> forms{secret, secret.toHex(), secret.toPercentEncoding({}, "SECRT")};
    const QString text = QString::fromLatin1(secret);
    forms.append(QByteArray(reinterpret_cast<const char *>(text.utf16()), text.size() * 2));
    for (int before = 0; before < 3; ++before) {
        const QByteArray shifted = (QByteArray(before, 'x') + secret).toBase64();
        forms.append(shifted.mid(4, shifted.size() - 8));
    }
    return forms;
}

bool holds(const QByteArray &text, const QByteArray &secret)
{
    const QList<QByteArray> forms = formsOf(secret);
    return std::any_of(forms.begin(), forms.end(),
                       [&](const QByteArray &form) { return text.contains(form); });
}

// Everything a value can be asked for: what qDebug() prints, and its properties.
QString shown(const QVariant &value)
{
    QString text;
    QDebug(&text) << value;
    text += value.toString();
    const QMetaType type = value.metaType();
    if (const QMetaObject *meta = type.flags() & QMetaType::IsGadget ? type.metaObject() : nullptr) {
        for (int i = 0; i < meta->propertyCount(); ++i)
            text += shown(meta->property(i).readOnGadget(value.constData()));
    }
    return text;
}

// Hears every signal of an object.
class Listener
{
public:
    explicit Listener(QObject *object) : m_object(object)
    {
        const QMetaObject *meta = object->metaObject();
        for (int i = 0; i < meta->methodCount(); ++i) {
            if (meta->method(i).methodType() == QMetaMethod::Signal)
                m_spies.push_back(std::make_unique<QSignalSpy>(object, meta->method(i)));
        }
    }
    // Its signals' arguments and its properties.
    [[nodiscard]] QStringList said() const
    {
        QStringList lines;
        for (const auto &spy : m_spies) {
            for (const QList<QVariant> &call : *spy) {
                for (const QVariant &argument : call)
                    lines.append(QString::fromLatin1(spy->signal()) + u": "_s + shown(argument));
            }
        }
        const QMetaObject *meta = m_object->metaObject();
        for (int i = 0; i < meta->propertyCount(); ++i)
            lines.append(QString::fromLatin1(meta->property(i).name()) + u": "_s +
                         shown(meta->property(i).read(m_object)));
        QString printed;
        QDebug(&printed) << m_object;
        lines.append(printed);
        if (const auto *model = qobject_cast<const QAbstractItemModel *>(m_object))
            lines += cellsOf(*model);
        return lines;
    }
    [[nodiscard]] int calls() const
    {
        int sum = 0;
        for (const auto &spy : m_spies)
            sum += int(spy->size());
        return sum;
    }

private:
    static QStringList cellsOf(const QAbstractItemModel &model)
    {
        QStringList lines;
        const auto roles = model.roleNames();
        for (int row = 0; row < model.rowCount(); ++row) {
            for (auto role = roles.begin(); role != roles.end(); ++role)
                lines.append(QString::fromLatin1(*role) + u": "_s +
                             shown(model.index(row, 0).data(role.key())));
        }
        return lines;
    }

    QObject *m_object;
    std::vector<std::unique_ptr<QSignalSpy>> m_spies;
};

} // namespace

class TestSecrets : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void theSearchFinds();
    void c4_a7_nothingIsPrintedSaidOrShown_data();
    void c4_a7_nothingIsPrintedSaidOrShown();
    void a7_nothingIsWritten();

private:
    void live(Connection *connection, TestServer &server, ConnectionConfig::Transport transport);

    QTemporaryDir m_home;
};

// All that a library could write to without being told where lies below one folder.
void TestSecrets::initTestCase()
{
    QVERIFY(m_home.isValid());
    for (const char *name : {"HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
                             "XDG_RUNTIME_DIR", "TMPDIR"}) {
        const QString folder = m_home.filePath(QString::fromLatin1(name));
        QVERIFY(QDir().mkpath(folder));
        QFile::setPermissions(folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        qputenv(name, folder.toLocal8Bit());
    }
    QCoreApplication::setOrganizationName(u"everwire-test"_s);
    QCoreApplication::setApplicationName(u"secrets"_s);
    for (const auto place : {QStandardPaths::CacheLocation, QStandardPaths::AppDataLocation,
                             QStandardPaths::TempLocation, QStandardPaths::AppConfigLocation})
        QVERIFY(QStandardPaths::writableLocation(place).startsWith(m_home.path()));
    QVERIFY(QSettings().fileName().startsWith(m_home.path()));
    QVERIFY(QDir::setCurrent(m_home.path()));
}

void TestSecrets::theSearchFinds()
{
    QVERIFY(holds("a " + Token + " b", Token));
    QVERIFY(holds((R"({"token":")" + Token + "\"}").toBase64(), Token));
    QVERIFY(holds(Token.toHex(), Token));
    QVERIFY(!holds("eyJhbGciOiJIUzI1NiJ9", Token));
    StaticTokenProvider named(QString{});
    named.setObjectName(QString::fromLatin1(Token));
    QVERIFY(holds(Listener(&named).said().join(u'\n').toUtf8(), Token));
}

void TestSecrets::c4_a7_nothingIsPrintedSaidOrShown_data()
{
    QTest::addColumn<QString>("rules");
    QTest::addColumn<bool>("debug");
    QTest::newRow("nothing") << u"*=false"_s << false;
    QTest::newRow("usual") << QString() << false;
    QTest::newRow("debug") << QString() << true;
    QTest::newRow("categories") << u"everwire.*=true"_s << true;
    QTest::newRow("everything, Qt's own too") << u"*=true"_s << true;
}

void TestSecrets::c4_a7_nothingIsPrintedSaidOrShown()
{
    QFETCH(QString, rules);
    QFETCH(bool, debug);
    QLoggingCategory::setFilterRules(rules);
    const auto restored = qScopeGuard([] { QLoggingCategory::setFilterRules({}); });
    const LogRecorder log;
    QStringList said;
    int calls = 0;
    for (const auto transport :
         {ConnectionConfig::Transport::Automatic, ConnectionConfig::Transport::QWebSocket}) {
        HttpServer http;
        http.answerJson(R"({"token":")" + Token + "\"}");
        TestServer server;
        WebSocketProvider provider;
        provider.setDebug(debug);
        HttpTokenProvider tokens(http.url(u"/token?key=%1"_s.arg(QString::fromLatin1(Payload))));
        tokens.setMethod(u"POST"_s);
        tokens.setRetries(0);
        tokens.setHeaders({{u"Authorization"_s, QString::fromLatin1("Bearer " + Token)}});
        tokens.setBody({{u"refresh"_s, QString::fromLatin1(Token)}});
        provider.setTokenProvider(&tokens);
        Connection *connection = provider.connection(u"simulation"_s);
        HttpPreparation preparation;
        preparation.setUrl(http.url(u"/sessions"_s).toString());
        preparation.setFields({u"none"_s});
        preparation.setBody({{u"text"_s, QString::fromLatin1(Payload)}});
        SimulationSession session(&provider);
        NotificationFeed feed(&provider);
        std::vector<std::unique_ptr<Listener>> listeners;
        for (QObject *object : QList<QObject *>{&provider, &tokens, connection, connection->messages(),
                                                &preparation, &session, &feed, provider.connections()})
            listeners.push_back(std::make_unique<Listener>(object));
        connection->setPreparation(&preparation);
        live(connection, server, transport);
        if (QTest::currentTestFailed())
            return;
        for (const auto &listener : listeners) {
            said += listener->said();
            calls += listener->calls();
        }
        said.append(connection->error());
        qDebug() << connection->configuration() << QVariant::fromValue(connection->configuration());
    }
    QVERIFY(calls > 60);
    for (const QString &line : std::as_const(said))
        QVERIFY2(!holds(line.toUtf8(), Token), qPrintable(line));
    const QStringList lines = log.lines();
    QVERIFY(debug ? lines.size() > 40 : true);
    for (const QString &line : lines)
        QVERIFY2(!holds(line.toUtf8(), Token) && !holds(line.toUtf8(), Payload), qPrintable(line));
}

// Connects, talks, is dropped, refused with words of the server's, and refused for good.
void TestSecrets::live(Connection *connection, TestServer &server, ConnectionConfig::Transport transport)
{
    const QString payload = QString::fromLatin1(Payload);
    const auto config = ConnectionConfig()
                            .setUrl(server.url().toString() + u"x?ticket="_s + payload)
                            .setTransport(transport)
                            .setInitialReconnectDelay(1ms)
                            .setHeaders({{u"X-Key"_s, payload}})
                            .setOptions({{u"key"_s, payload}});
    QStringList errors;
    const auto heard = QObject::connect(
        connection, &Connection::errorOccurred, connection,
        [&errors](const ConnectionError &error) { QDebug(&errors.emplace_back()) << error; });
    connection->open(config);
    QTRY_VERIFY(connection->isConnected());
    const int before = int(server.messages().size());
    QVERIFY(connection->sendJson({{u"type"_s, u"chat"_s}, {u"text"_s, payload}}, Payload));
    QVERIFY(connection->send(payload));
    QVERIFY(!connection->sendJson({{u"text"_s, payload}}));
    QVERIFY(!connection->send(QByteArray(600 * 1024, 'x') + Payload));
    connection->request({{u"type"_s, u"get"_s}, {u"text"_s, payload}}, 1h);
    QTRY_COMPARE(server.messages().size(), before + 4);
    QSignalSpy received(connection, &Connection::messageReceived);
    QSignalSpy broken(connection, &Connection::parseError);
    server.sendText(R"({"type":"chat","text":")" + Payload + "\"}");
    server.sendText(Payload + " is no JSON");
    server.sendBinary(Payload);
    server.sendText(R"({"type":"last"})");
    QTRY_VERIFY(!received.isEmpty() && received.last()[0].value<Message>().type() == "last"_L1);
    QCOMPARE(broken.size(), 1);
    qDebug() << received.last() << connection->sessionInfo() << connection->messages()->at(0);
    server.drop();
    QTRY_VERIFY(connection->isConnected() && server.connectionsSoFar() == 2);
    connection->open(ConnectionConfig().setUrl(u"ws://elsewhere/?ticket="_s + payload)); // warns
    server.close(1011, u"bad token %1"_s.arg(QString::fromLatin1(Token)));
    QTRY_COMPARE(server.connectionsSoFar(), 3);
    QTRY_VERIFY(connection->isConnected());
    server.setAuth(TestServer::Auth::RefuseForm2);
    server.close(4001, u"token %1 expired"_s.arg(QString::fromLatin1(Token)));
    QTRY_COMPARE_WITH_TIMEOUT(connection->state(), Connection::Error, 20000);
    connection->open(
        QVariantMap{{u"token"_s, QString::fromLatin1(Token)}, {u"url"_s, u"ws://h/#"_s + payload}});
    QVERIFY(errors.size() >= 3);
    QObject::disconnect(heard);
    for (const QString &error : std::as_const(errors))
        QVERIFY2(!holds(error.toUtf8(), Token) && !holds(error.toUtf8(), Payload), qPrintable(error));
    QVERIFY2(!holds(connection->error().toUtf8(), Token) && !holds(connection->error().toUtf8(), Payload),
             qPrintable(connection->error()));
}

// By all that ran before.
void TestSecrets::a7_nothingIsWritten()
{
    QSettings().sync();
    QStringList files;
    for (QDirIterator it(m_home.path(), QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
         it.hasNext();)
        files.append(it.next());
    for (const QString &name : std::as_const(files)) {
        QFile file(name);
        QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(name));
        const QByteArray content = file.readAll();
        QVERIFY2(!holds(content, Token) && !holds(content, Payload), qPrintable(name));
    }
    QCOMPARE(files, QStringList()); // nor anything else
}

QTEST_GUILESS_MAIN(TestSecrets)
#include "tst_secrets.moc"
