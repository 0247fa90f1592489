// SPDX-License-Identifier: MIT
//
// Rule O7: handles share a connection.
#include "support/testserver.h"

#include <Everwire/ConnectionHandle>
#include <Everwire/WebSocketProvider>

#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

class tst_Handles : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();

    void o7_opensWithTheFirstAndClosesAfterTheLast();
    void o7_oneGoingAwayClosesNothing();
    void o7_anotherWithinLingerKeepsItOpen();
    void o7_whatTheAppOpenedHandlesDoNotClose();
    void o7_theAppsCloseHoldsWhateverHandlesThereAre();
    void o7_aHandleThatNeverAskedClosesNothing();
    void autoConnectOpensAtTheNextTurn();
    void autoConnectCanBeTakenBack();
    void changingTheTypeGivesTheShareBack();
    void o7_anOpenHandleAsksForItsNewType();
    void o7_aHandleThatDidNotAskDoesNotAskForItsNewType();
    void o7_theTypeMayBeEmptyMeanwhile();
    void o7_theTypeComesBackWithinLinger();
    void o7_theNewTypeIsConfiguredInItsSignal();
    void o7_theTypeChangesInItsOwnSignal();
    void o7_aDeletedConnectionIsMadeAnew();
    void aHandleOutlivesItsProvider();
    void aHandleStaysWithItsProvider();

private:
    void letLingerPass();

    // After the provider's connections and handles, which live in the test functions.
    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
    const QString type = QStringLiteral("notifications");
};

void tst_Handles::init()
{
    provider.reset();
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(QStringLiteral("good"));
    QVERIFY(provider->configure(type, ConnectionConfig().setUrl(server->url()).setLinger(20ms)));
    connection = provider->connection(type);
}

// Another type's connection lingers three times as long and closes meanwhile.
void tst_Handles::letLingerPass()
{
    const QString clockType = QStringLiteral("clock");
    QVERIFY(provider->configure(clockType, ConnectionConfig().setUrl(server->url()).setLinger(60ms)));
    {
        ConnectionHandle clock(clockType, provider.get());
        clock.open();
        QTRY_VERIFY(clock.connection()->isConnected());
    }
    QTRY_COMPARE(provider->connection(clockType)->state(), Connection::Disconnected);
}

void tst_Handles::o7_opensWithTheFirstAndClosesAfterTheLast()
{
    auto first = std::make_unique<ConnectionHandle>(type, provider.get());
    auto second = std::make_unique<ConnectionHandle>(type, provider.get());
    QCOMPARE(first->connection(), connection);
    QCOMPARE(connection->state(), Connection::Disconnected);
    first->open();
    second->open();
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(server->connectionsSoFar(), 1);
    first.reset();
    second.reset();
    QVERIFY(connection->isConnected()); // it lingers
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Handles::o7_oneGoingAwayClosesNothing()
{
    ConnectionHandle stays(type, provider.get());
    stays.open();
    {
        ConnectionHandle goes(type, provider.get());
        goes.open();
        QTRY_VERIFY(connection->isConnected());
    }
    letLingerPass();
    QVERIFY(connection->isConnected());
}

void tst_Handles::o7_anotherWithinLingerKeepsItOpen()
{
    QVERIFY(provider->configure(type, ConnectionConfig().setUrl(server->url()).setLinger(10s)));
    {
        ConnectionHandle page(type, provider.get());
        page.open();
        QTRY_VERIFY(connection->isConnected());
    }
    ConnectionHandle nextPage(type, provider.get());
    nextPage.open();
    QVERIFY(connection->isConnected());
    QCOMPARE(server->connectionsSoFar(), 1);
}

void tst_Handles::o7_whatTheAppOpenedHandlesDoNotClose()
{
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy states(connection, &Connection::stateChanged);
    {
        ConnectionHandle handle(type, provider.get());
        handle.open();
    }
    QVERIFY(connection->sendJson({{QStringLiteral("type"), QStringLiteral("marker")}}));
    QTRY_COMPARE(server->messages().size(), 1);
    letLingerPass();
    QCOMPARE(states.size(), 0);
    QVERIFY(connection->isConnected());
}

void tst_Handles::o7_theAppsCloseHoldsWhateverHandlesThereAre()
{
    ConnectionHandle handle(type, provider.get());
    handle.open();
    QTRY_VERIFY(connection->isConnected());
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    // A handle that asks later opens it again, and it is the handles' then.
    {
        ConnectionHandle later(type, provider.get());
        later.open();
        QTRY_VERIFY(connection->isConnected());
    }
    handle.close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Handles::o7_aHandleThatNeverAskedClosesNothing()
{
    ConnectionHandle asked(type, provider.get());
    asked.open();
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy states(connection, &Connection::stateChanged);
    {
        ConnectionHandle looksOnly(type, provider.get());
    }
    letLingerPass();
    QCOMPARE(states.size(), 0);
}

void tst_Handles::autoConnectOpensAtTheNextTurn()
{
    ConnectionHandle handle(type, provider.get());
    handle.setAutoConnect(true);
    QCOMPARE(connection->state(), Connection::Disconnected); // what is configured now still counts
    QTRY_VERIFY(connection->isConnected());
}

void tst_Handles::autoConnectCanBeTakenBack()
{
    ConnectionHandle handle(type, provider.get());
    handle.setAutoConnect(true);
    handle.close();
    ConnectionHandle other(QStringLiteral("other"), provider.get());
    QVERIFY(provider->configure(QStringLiteral("other"), ConnectionConfig().setUrl(server->url())));
    other.setAutoConnect(true); // its turn comes after the first one's
    QTRY_VERIFY(other.connection()->isConnected());
    QCOMPARE(connection->state(), Connection::Disconnected);
}

void tst_Handles::changingTheTypeGivesTheShareBack()
{
    const QString other = QStringLiteral("assessments");
    QVERIFY(provider->configure(other, ConnectionConfig().setUrl(server->url())));
    ConnectionHandle handle(type, provider.get());
    handle.setAutoConnect(true);
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy changed(&handle, &ConnectionHandle::connectionChanged);
    handle.setType(other);
    QCOMPARE(changed.size(), 1);
    QTRY_VERIFY(provider->connection(other)->isConnected());
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    handle.setType(QString());
    QVERIFY(!handle.connection());
    handle.open(); // nothing to open, nothing breaks
}

void tst_Handles::o7_anOpenHandleAsksForItsNewType()
{
    const QString other = QStringLiteral("assessments");
    QVERIFY(provider->configure(other, ConnectionConfig().setUrl(server->url()).setLinger(20ms)));
    {
        ConnectionHandle handle(type, provider.get());
        handle.open();
        QTRY_VERIFY(connection->isConnected());
        handle.setType(other);
        QCOMPARE(handle.connection()->state(), Connection::Connecting); // so messages are queued
        QVERIFY(handle.connection()->send("hello"));
        QTRY_VERIFY(handle.connection()->isConnected());
        QTRY_COMPARE(connection->state(), Connection::Disconnected); // behind its linger
        QTRY_COMPARE(server->messages(), QList<QByteArray>{"hello"});
    }
    QTRY_COMPARE(provider->connection(other)->state(), Connection::Disconnected); // it was the handle's
}

void tst_Handles::o7_aHandleThatDidNotAskDoesNotAskForItsNewType()
{
    const QString other = QStringLiteral("assessments");
    QVERIFY(provider->configure(other, ConnectionConfig().setUrl(server->url())));
    ConnectionHandle never(type, provider.get());
    never.setType(other);
    ConnectionHandle noMore(type, provider.get());
    noMore.open();
    QTRY_VERIFY(connection->isConnected());
    noMore.close();
    noMore.setType(other);
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(provider->connection(other)->state(), Connection::Disconnected);
    QCOMPARE(server->connectionsSoFar(), 1);
}

void tst_Handles::o7_theTypeMayBeEmptyMeanwhile()
{
    ConnectionHandle handle(QString(), provider.get());
    handle.open(); // it asks, for what it will be
    QVERIFY(!handle.connection());
    handle.setType(type);
    QTRY_VERIFY(connection->isConnected());
    handle.setType(QString());
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    handle.setType(type);
    QTRY_VERIFY(connection->isConnected());
    handle.setType(QString());
    handle.close();
    handle.setType(type);
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Handles::o7_theTypeComesBackWithinLinger()
{
    QVERIFY(provider->configure(type, ConnectionConfig().setUrl(server->url()).setLinger(1h)));
    const QString other = QStringLiteral("assessments");
    QVERIFY(provider->configure(other, ConnectionConfig().setUrl(server->url()).setLinger(20ms)));
    ConnectionHandle handle(type, provider.get());
    handle.open();
    QTRY_VERIFY(connection->isConnected());
    handle.setType(other);
    QTRY_VERIFY(handle.connection()->isConnected());
    handle.setType(type);
    QVERIFY(connection->isConnected());
    QTRY_COMPARE(provider->connection(other)->state(), Connection::Disconnected);
    QCOMPARE(server->connectionsSoFar(), 2);
}

void tst_Handles::o7_theNewTypeIsConfiguredInItsSignal()
{
    ConnectionHandle handle(type, provider.get());
    handle.open();
    connect(&handle, &ConnectionHandle::typeChanged, this,
            [&] { QVERIFY(provider->configure(handle.type(), ConnectionConfig().setUrl(server->url()))); });
    handle.setType(QStringLiteral("late"));
    QTRY_VERIFY(handle.connection()->isConnected());
    // And in it a handle may be closed.
    connect(&handle, &ConnectionHandle::connectionChanged, &handle, &ConnectionHandle::close);
    handle.setType(QStringLiteral("later"));
    QCOMPARE(handle.connection()->state(), Connection::Disconnected);
}

void tst_Handles::o7_theTypeChangesInItsOwnSignal()
{
    const QString other = QStringLiteral("assessments");
    QVERIFY(provider->configure(other, ConnectionConfig().setUrl(server->url())));
    ConnectionHandle handle(QStringLiteral("first"), provider.get());
    handle.open();
    connect(&handle, &ConnectionHandle::typeChanged, this, [&] { handle.setType(other); });
    handle.setType(type);
    QCOMPARE(handle.type(), other);
    QTRY_VERIFY(handle.connection()->isConnected());
    QCOMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(server->connectionsSoFar(), 1);
}

void tst_Handles::o7_aDeletedConnectionIsMadeAnew()
{
    ConnectionHandle handle(type, provider.get());
    handle.open();
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy changed(&handle, &ConnectionHandle::connectionChanged);
    delete connection;
    QCOMPARE(changed.size(), 1);
    QVERIFY(!handle.connection());
    handle.open();
    QCOMPARE(changed.size(), 2);
    QTRY_VERIFY(handle.connection()->isConnected());
    delete handle.connection();
    const QString other = QStringLiteral("assessments");
    QVERIFY(provider->configure(other, ConnectionConfig().setUrl(server->url())));
    handle.setType(other); // it still asks
    QTRY_VERIFY(handle.connection()->isConnected());
}

// Another one's connection of that name is another server's.
void tst_Handles::aHandleStaysWithItsProvider()
{
    ConnectionHandle handle(type, provider.get());
    handle.open();
    connect(&handle, &ConnectionHandle::connectionChanged, &handle, &ConnectionHandle::open);
    provider.reset();
    handle.setType(QStringLiteral("assessments"));
    QVERIFY(!handle.connection());
}

void tst_Handles::aHandleOutlivesItsProvider()
{
    ConnectionHandle handle(type, provider.get());
    handle.open();
    QTRY_VERIFY(connection->isConnected());
    provider.reset();
    QVERIFY(!handle.connection());
    handle.open();
    handle.close();
}

QTEST_GUILESS_MAIN(tst_Handles)
#include "tst_handles.moc"
