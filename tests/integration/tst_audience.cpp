// SPDX-License-Identifier: MIT
//
// The wire thread finds out who hears a message when it comes in; who has changed that until it is handed over is heard.
#include "support/testserver.h"

#include <Everwire/MessageModel>
#include <Everwire/WebSocketProvider>

#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

class tst_Audience : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void m4_whoSubscribesInAHandlerHearsWhatHasComeWithIt();
    void m1_whoConnectsToTheSignalHearsWhatNobodyDid();
    void m7_whatNobodyHearsIsInTheHistory();
    void m1_aRequestsReplyIsHeardByNobodyElse();

private:
    void openConnection();
    void sendNumbers(int from, int to);

    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
};

void tst_Audience::init()
{
    provider.reset();
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(QStringLiteral("good"));
    connection = provider->connection(QStringLiteral("audience"));
    QVERIFY(provider->configure(connection->type(), ConnectionConfig().setUrl(server->url())));
}

void tst_Audience::openConnection()
{
    connection->open();
    QTRY_VERIFY(connection->isConnected());
}

void tst_Audience::sendNumbers(int from, int to)
{
    for (int i = from; i <= to; ++i)
        server->sendText(R"({"type":"n","n":)" + QByteArray::number(i) + '}');
}

// Both have been received before the first of them is handed over.
void tst_Audience::m4_whoSubscribesInAHandlerHearsWhatHasComeWithIt()
{
    QList<int> heard;
    connection->subscribe(QStringLiteral("begin"), this, [&] {
        connection->subscribe(QStringLiteral("n"), this, [&](const QJsonObject &message) {
            heard.append(message.value(QLatin1String("n")).toInt());
        });
    });
    openConnection();
    server->sendText(R"({"type":"begin"})");
    sendNumbers(1, 500);
    QTRY_COMPARE(heard.size(), 500);
    for (int i = 0; i < heard.size(); ++i)
        QCOMPARE(heard.at(i), i + 1);
}

void tst_Audience::m1_whoConnectsToTheSignalHearsWhatNobodyDid()
{
    QList<QString> heard;
    connection->subscribe(QStringLiteral("begin"), this, [&] {
        connect(connection, &Connection::messageReceived, this,
                [&](const Message &message) { heard.append(message.type()); });
    });
    openConnection();
    sendNumbers(1, 100);
    server->sendText(R"({"type":"begin"})");
    sendNumbers(1, 100);
    QTRY_COMPARE(heard.size(), 100); // and not itself: its signal came before its subscribers
    QCOMPARE(heard.count(QStringLiteral("n")), 100);
}

void tst_Audience::m7_whatNobodyHearsIsInTheHistory()
{
    openConnection();
    const int before = connection->messages()->count();
    sendNumbers(1, 300);
    server->sendText(R"({"type":"end"})");
    QTRY_COMPARE(connection->messages()->count(), before + 301);
    for (int i = 0; i < 300; ++i)
        QCOMPARE(connection->messages()->at(before + i).json().value(QLatin1String("n")).toInt(), i + 1);
}

void tst_Audience::m1_aRequestsReplyIsHeardByNobodyElse()
{
    openConnection();
    const QFuture<QJsonObject> reply =
        connection->request({{QStringLiteral("type"), QStringLiteral("ask")},
                             {QStringLiteral("request_id"), QStringLiteral("7")}},
                            10s);
    sendNumbers(1, 50);
    server->sendText(R"({"type":"answer","request_id":"7"})");
    QTRY_VERIFY(reply.isFinished());
    QCOMPARE(reply.result().value(QLatin1String("type")).toString(), QStringLiteral("answer"));
}

QTEST_GUILESS_MAIN(tst_Audience)
#include "tst_audience.moc"
