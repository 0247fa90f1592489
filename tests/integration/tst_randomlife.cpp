// SPDX-License-Identifier: MIT
//
// Rules O5 and O6 by chance: lives in which anything is done inside any signal and handler. EVERWIRE_LIVES says how many,
// EVERWIRE_SEED which; a failure names the seed of the life, and EVERWIRE_LIVES=1 with it is that life again.
#include "support/fromenvironment.h"
#include "support/testserver.h"

#include <Everwire/ConnectionHandle>
#include <Everwire/WebSocketProvider>

#include <QCoreApplication>
#include <QDir>
#include <QEventLoop>
#include <QFile>
#include <QLoggingCategory>
#include <QRandomGenerator>
#include <QTest>
#include <QTimer>

#include <array>
#include <functional>
#include <memory>
#include <vector>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

struct Done
{
    qint64 inHandlers = 0; // actions
    qint64 handlers = 0;   // calls
    qint64 connected = 0;
    qint64 quits = 0;
};

// One provider from its making to its end, with two connections, and handles and subscribers that come and go.
class Life
{
public:
    Life(TestServer &server, quint32 seed, Done &done);
    ~Life();
    Q_DISABLE_COPY_MOVE(Life)

    void live();
    // Nothing is done in handlers from here on.
    void calmDown();
    [[nodiscard]] bool hasProvider() const { return m_provider; }
    // A connection whatever has become of the ones before.
    [[nodiscard]] Connection *freshConnection();

private:
    struct Guest
    {
        std::unique_ptr<QObject> context;
        Subscription subscription;
    };

    [[nodiscard]] bool chance(int percent) { return m_random.bounded(100) < percent; }
    Connection *any();
    void watch(Connection *connection);
    void heard();
    void act();
    void actOn(Connection &connection);
    void actOnHandles();
    void actOnGuests(Connection &connection);
    void actOnProvider();
    void actOnServer();
    void end();
    void runALoop();

    TestServer &m_server;
    Done &m_done;
    QRandomGenerator m_random;
    QObject m_context; // of our own handlers
    QPointer<WebSocketProvider> m_provider;
    std::array<std::unique_ptr<ConnectionHandle>, 2> m_handles;
    std::array<Guest, 4> m_guests;
    int m_depth = 0;
    int m_budget = 60; // actions inside handlers: they make more handlers be called
    bool m_isCalm = false;
};

QString type(quint32 number)
{
    return number % 2 == 0 ? u"x"_s : u"y"_s;
}

Life::Life(TestServer &server, quint32 seed, Done &done)
    : m_server(server), m_done(done), m_random(seed), m_provider(new WebSocketProvider)
{
    m_provider->setNetworkMonitor(nullptr); // D-Bus would take most of a life
    m_provider->setToken(u"good"_s);
    m_server.setAuth(TestServer::Auth::Accept);
    m_server.clear();
    for (quint32 i = 0; i < 2; ++i)
        m_provider->configure(type(i), ConnectionConfig()
                                           .setUrl(server.url())
                                           .setInitialReconnectDelay(1ms)
                                           .setMaxReconnectDelay(2ms)
                                           .setMaxReconnectAttempts(3)
                                           .setMaxQueuedMessages(4)
                                           .setHistoryLimit(5)
                                           .setLinger(1ms)
                                           .setCloseTimeout(20ms)
                                           .setAuthTimeout(20ms));
    QObject::connect(m_provider, &WebSocketProvider::errorOccurred, &m_context, [this] { heard(); });
    QObject::connect(m_provider->connections(), &QAbstractItemModel::rowsInserted, &m_context,
                     [this] { heard(); });
    QObject::connect(m_provider->connections(), &QAbstractItemModel::rowsRemoved, &m_context,
                     [this] { heard(); });
    any();
}

Life::~Life()
{
    calmDown();
    end();
}

void Life::calmDown()
{
    m_isCalm = true;
    for (auto &handle : m_handles)
        handle.reset(); // which may be about to open
}

// What hears of it finds no provider to delete once more.
void Life::end()
{
    delete std::exchange(m_provider, nullptr).data();
}

Connection *Life::any()
{
    if (!m_provider)
        return nullptr;
    const QString wanted = type(m_random.generate());
    const int before = m_provider->connections()->count();
    const QPointer<Connection> connection = m_provider->connection(wanted); // whose model tells of it
    if (connection && m_provider && m_provider->connections()->count() > before)
        watch(connection);
    return connection;
}

Connection *Life::freshConnection()
{
    if (!m_provider) {
        m_provider = new WebSocketProvider;
        m_provider->configure(u"x"_s, ConnectionConfig().setUrl(m_server.url()));
    }
    m_provider->setToken(u"another"_s);
    m_server.setAuth(TestServer::Auth::Accept);
    return m_provider->connection(u"x"_s);
}

void Life::watch(Connection *connection)
{
    const auto hear = [this] { heard(); };
    QObject::connect(connection, &Connection::connected, &m_context, [this] {
        ++m_done.connected;
        heard();
    });
    for (const auto signal :
         {&Connection::authenticationTimeout, &Connection::forgotten, &Connection::urlChanged,
          &Connection::isConnectedChanged, &Connection::errorChanged, &Connection::errorCodeChanged,
          &Connection::closeCodeChanged, &Connection::sessionInfoChanged,
          &Connection::reconnectAttemptChanged, &Connection::nextRetryInChanged,
          &Connection::queuedMessagesChanged, &Connection::bytesToWriteChanged,
          &Connection::tokenProviderChanged})
        QObject::connect(connection, signal, &m_context, hear);
    QObject::connect(connection, &Connection::stateChanged, &m_context, hear);
    QObject::connect(connection, &Connection::disconnected, &m_context, hear);
    QObject::connect(connection, &Connection::errorOccurred, &m_context, hear);
    QObject::connect(connection, &Connection::connectionError, &m_context, hear);
    QObject::connect(connection, &Connection::authenticationError, &m_context, hear);
    QObject::connect(connection, &Connection::reconnecting, &m_context, hear);
    QObject::connect(connection, &Connection::maxReconnectAttemptsReached, &m_context, hear);
    QObject::connect(connection, &Connection::messageReceived, &m_context, hear);
    QObject::connect(connection, &Connection::binaryMessageReceived, &m_context, hear);
    QObject::connect(connection, &Connection::parseError, &m_context, hear);
    QObject::connect(connection, &Connection::messageRejected, &m_context, hear);
    QObject::connect(connection, &Connection::messagesDiscarded, &m_context, hear);
    QObject::connect(connection, &QObject::destroyed, &m_context, hear);
    MessageModel *messages = connection->messages();
    QObject::connect(messages, &QAbstractItemModel::rowsInserted, &m_context, hear);
    QObject::connect(messages, &QAbstractItemModel::modelReset, &m_context, hear);
    QObject::connect(messages, &MessageModel::countChanged, &m_context, hear);
}

void Life::heard()
{
    ++m_done.handlers;
    if (m_isCalm || m_budget <= 0 || m_depth > 4 || !chance(25))
        return;
    --m_budget;
    ++m_done.inHandlers;
    act();
}

void Life::act()
{
    ++m_depth;
    const QPointer<Connection> connection = any();
    const int what = m_random.bounded(100);
    if (what < 40) {
        if (connection)
            actOn(*connection);
    } else if (what < 52) {
        actOnHandles();
    } else if (what < 66) {
        if (connection)
            actOnGuests(*connection);
    } else if (what < 76) {
        actOnProvider();
    } else if (what < 94) {
        actOnServer();
    } else {
        runALoop();
    }
    --m_depth;
}

void Life::actOn(Connection &connection)
{
    switch (m_random.bounded(13)) {
    case 0: delete &connection; break;
    case 1: connection.close(); break;
    case 2:
    case 3: connection.open(); break;
    case 4: {
        const QPointer<Connection> self(&connection);
        connection.close();
        if (self)
            self->open();
        break;
    }
    case 5: connection.reconnect(); break;
    case 6: connection.send("text"); break;
    case 7: connection.send(QByteArray("bytes")); break;
    case 8: connection.sendJson({{u"type"_s, u"pair"_s}}, "bytes"); break;
    case 9: connection.forget(); break;
    case 10: connection.messages()->clear(); break;
    case 11:
        connection.openAsync().then(&m_context, [this](const QFuture<SessionInfo> &) { heard(); });
        break;
    case 12:
        connection.request({{u"type"_s, u"ask"_s}}, 2ms)
            .then(&m_context, [this](const QFuture<QJsonObject> &) { heard(); });
        break;
    }
}

void Life::actOnHandles()
{
    auto &handle = m_handles[m_random.bounded(2U)];
    if (!handle) {
        if (!m_provider)
            return;
        handle = std::make_unique<ConnectionHandle>(type(m_random.generate()), m_provider);
        QObject::connect(handle.get(), &ConnectionHandle::connectionChanged, &m_context, [this] { heard(); });
        QObject::connect(handle.get(), &ConnectionHandle::autoConnectChanged, &m_context,
                         [this] { heard(); });
        return;
    }
    switch (m_random.bounded(5)) {
    case 0: std::exchange(handle, nullptr).reset(); break;
    case 1: handle->open(); break;
    case 2: handle->close(); break;
    case 3: handle->setAutoConnect(!handle->autoConnect()); break;
    case 4: handle->setType(type(m_random.generate())); break;
    }
}

void Life::actOnGuests(Connection &connection)
{
    static const std::array events{u"hello"_s,         u"*"_s,         u"stateChange"_s, u"error"_s,
                                   u"binaryMessage"_s, u"parseError"_s};
    Guest &guest = m_guests[m_random.bounded(quint32(m_guests.size()))];
    switch (m_random.bounded(4)) {
    case 0: std::exchange(guest.context, nullptr).reset(); break;
    case 1: guest.subscription.unsubscribe(); break;
    default:
        if (!guest.context)
            guest.context = std::make_unique<QObject>();
        const QString &event = events[m_random.bounded(quint32(events.size()))];
        guest.subscription =
            chance(50)
                ? connection.subscribe(event, guest.context.get(), [this] { heard(); })
                : connection.subscribe(event, guest.context.get(), [this](const QJsonObject &) { heard(); });
    }
}

void Life::actOnProvider()
{
    if (!m_provider)
        return;
    switch (m_random.bounded(8)) {
    case 0:
        if (chance(30))
            end();
        break;
    case 1: m_provider->closeAll(); break;
    case 2: m_provider->signOut(); break;
    case 3: m_provider->signIn(u"good"_s); break;
    case 4: m_provider->setToken(chance(20) ? u"bad"_s : u"good"_s); break;
    case 5:
        m_provider->configure(type(m_random.generate()), ConnectionConfig()
                                                             .setUrl(m_server.url())
                                                             .setInitialReconnectDelay(1ms)
                                                             .setHistoryLimit(int(m_random.bounded(3))));
        break;
    case 6: m_provider->setDebug(false); break;
    case 7:
        ++m_done.quits;
        QCoreApplication::quit();
        break;
    }
}

void Life::actOnServer()
{
    switch (m_random.bounded(7)) {
    case 0:
    case 1: m_server.sendText(R"({"type":"hello","n":1})"); break;
    case 2: m_server.sendText("broken"); break;
    case 3: m_server.sendBinary("bytes"); break;
    case 4: m_server.drop(); break;
    case 5: m_server.close(chance(50) ? 1008 : 1001); break;
    case 6:
        m_server.setAuth(chance(70)   ? TestServer::Auth::Accept
                         : chance(50) ? TestServer::Auth::RefuseForm1
                                      : TestServer::Auth::Silent);
        break;
    }
}

// A dialog that does not stay for long.
void Life::runALoop()
{
    QEventLoop loop;
    QTimer::singleShot(int(m_random.bounded(3)), &loop, &QEventLoop::quit);
    loop.exec();
}

void Life::live()
{
    int steps = 4 + int(m_random.bounded(12));
    QTimer turn;
    QObject::connect(&turn, &QTimer::timeout, &m_context, [&] {
        if (m_depth > 0)
            return; // a loop inside a handler
        act();
        if (--steps <= 0)
            QCoreApplication::quit();
        turn.start(chance(30) ? 1 : 0);
    });
    if (Connection *connection = any())
        connection->open();
    turn.start(0);
    QCoreApplication::exec();
}

// By their name; GLib and Qt start others, and keep them.
int wireThreads()
{
    int number = 0;
    const QDir tasks(u"/proc/self/task"_s);
    const QStringList all = tasks.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    for (const QString &task : all) {
        QFile name(tasks.filePath(task + u"/comm"_s));
        number += name.open(QIODevice::ReadOnly) && name.readAll().trimmed() == "everwire" ? 1 : 0;
    }
    return number;
}

} // namespace

class TestRandomLife : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void o5_o6_anythingAnywhere();
};

void TestRandomLife::initTestCase()
{
    QLoggingCategory::setFilterRules(u"everwire.*=false"_s);
}

void TestRandomLife::o5_o6_anythingAnywhere()
{
    const int lives = countFromEnvironment("EVERWIRE_LIVES", 2000);
    const quint32 first = seedFromEnvironment();
    TestServer server;
    Done done;
    for (int i = 0; i < lives; ++i) {
        const quint32 seed = first + quint32(i);
        const QByteArray name = "the life of EVERWIRE_SEED=" + QByteArray::number(seed);
        Life life(server, seed, done);
        life.live();
        life.calmDown();
        // Whatever has become of it: it closes, and it opens.
        if (i % 8 == 0) {
            const QPointer<Connection> connection = life.freshConnection();
            connection->close();
            QTRY_VERIFY2(connection->state() == Connection::Disconnected, name.constData());
            connection->open();
            QTRY_VERIFY2(connection->isConnected(), name.constData());
        }
        if (i == 0)
            QCOMPARE(wireThreads(), life.hasProvider() ? 1 : 0);
    }
    qInfo("%d lives: %lld handlers called, %lld actions inside of them, %lld times connected, %lld quits",
          lives, static_cast<long long>(done.handlers), static_cast<long long>(done.inHandlers),
          static_cast<long long>(done.connected), static_cast<long long>(done.quits));
    QVERIFY(done.inHandlers > lives);
    QVERIFY(done.connected > lives / 4);
    QTRY_COMPARE(server.openConnections(), 0);
    delete WebSocketProvider::instance(); // a handle that has outlived its provider takes this one
    QTRY_COMPARE(wireThreads(), 0);
}

QTEST_GUILESS_MAIN(TestRandomLife)
#include "tst_randomlife.moc"
