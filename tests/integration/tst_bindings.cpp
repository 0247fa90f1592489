// SPDX-License-Identifier: MIT
//
// QProperty bindings and item views on the public API: what they see (rule S6) and what they may do (rule O5).
#include "support/testserver.h"

#include <Everwire/WebSocketProvider>

#include <QProperty>
#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

using State = Connection::State;

namespace {

// All that one look at a connection shows.
struct Look
{
    State state = Connection::Disconnected;
    bool isConnected = false;
    QString session;
    QString error;
    ConnectionError::Code errorCode = ConnectionError::NoError;
    int attempt = 0;
    int retryIn = 0;

    bool operator==(const Look &other) const
    {
        return state == other.state && isConnected == other.isConnected && session == other.session &&
               error == other.error && errorCode == other.errorCode && attempt == other.attempt &&
               retryIn == other.retryIn;
    }
};

Look lookAt(const Connection *connection)
{
    return {connection->bindableState().value(),
            connection->bindableIsConnected().value(),
            connection->bindableSessionInfo().value().sessionId(),
            connection->bindableError().value(),
            connection->bindableErrorCode().value(),
            connection->bindableReconnectAttempt().value(),
            connection->bindableNextRetryIn().value()};
}

// What is wrong with it; empty when all of it is of one transition.
QString mismatch(const Look &look)
{
    const bool connected = look.state == Connection::Connected;
    const bool waits = look.state == Connection::Reconnecting;
    const bool failed = look.state == Connection::Error;
    if (look.isConnected != connected)
        return u"isConnected"_s;
    if (look.session.isEmpty() == connected)
        return u"sessionInfo"_s;
    if (look.error.isEmpty() != (look.errorCode == ConnectionError::NoError))
        return u"error and errorCode"_s;
    if ((waits || failed) && look.error.isEmpty())
        return u"error, which is missing"_s;
    if ((connected || look.state == Connection::Disconnected) && !look.error.isEmpty())
        return u"error, which is of before"_s;
    if ((waits && look.attempt == 0) || (connected && look.attempt != 0))
        return u"reconnectAttempt"_s;
    if (!waits && look.retryIn != 0)
        return u"nextRetryIn"_s;
    return {};
}

// QTRY_VERIFY, for what is done hundreds of times: it looks more often.
template<typename Condition>
bool soon(Condition condition)
{
    return QTest::qWaitFor(condition, 30000);
}

template<typename T>
bool isReadOnly(const QBindable<T> &bindable)
{
    return bindable.isValid() && bindable.isBindable() && bindable.isReadOnly();
}

} // namespace

class tst_Bindings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void s6_eachTransitionIsSeenWholeByEachBinding();
    void s6_aBindingOfBindingsIsInStep();
    void s6_handlersSeeWhatBindingsSee();
    void gettersAreNotedInBindings();
    void bindingsFollowAnotherConnection();
    void aBindingOutlivesItsConnection();
    void bindablesAreReadOnly();
    void o5_aBindingMayDoAnything_data();
    void o5_aBindingMayDoAnything();

private:
    void open();
    void close();

    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    QPointer<Connection> connection;
};

void tst_Bindings::init()
{
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(u"good"_s);
    connection = provider->connection(u"x"_s);
    QVERIFY(provider->configure(
        u"x"_s,
        ConnectionConfig().setUrl(server->url()).setInitialReconnectDelay(10ms).setCloseTimeout(100ms)));
}

void tst_Bindings::cleanup()
{
    provider.reset();
    server.reset();
}

void tst_Bindings::open()
{
    connection->open();
    QTRY_VERIFY(connection->isConnected());
}

void tst_Bindings::close()
{
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Bindings::s6_eachTransitionIsSeenWholeByEachBinding()
{
    QList<State> seen;
    QStringList mismatches;
    QProperty<Look> all([&] {
        const Look look = lookAt(connection);
        if (seen.isEmpty() || seen.last() != look.state)
            seen.append(look.state);
        if (const QString what = mismatch(look); !what.isEmpty())
            mismatches.append(QString::number(look.state) + u": "_s + what);
        return look;
    });
    const auto eager = all.onValueChanged([] {});
    QSignalSpy states(connection, &Connection::stateChanged);
    open();
    server->drop();
    QTRY_VERIFY(server->connectionsSoFar() == 2 && connection->isConnected());
    server->close(1008, u"policy"_s); // which is final
    QTRY_COMPARE(connection->state(), Connection::Error);
    open();
    close();

    QList<State> told{Connection::Disconnected};
    for (const QVariantList &arguments : std::as_const(states))
        told.append(arguments.first().value<State>());
    QCOMPARE(seen, told);
    QCOMPARE(mismatches, QStringList());
}

void tst_Bindings::s6_aBindingOfBindingsIsInStep()
{
    QProperty<bool> isOnline;
    isOnline.setBinding(connection->bindableIsConnected().makeBinding());
    QProperty<QString> who([&] { return connection->bindableSessionInfo().value().userId(); });
    QStringList lines;
    QProperty<QString> line([&] { return isOnline.value() ? u"as "_s + who.value() : u"offline"_s; });
    const auto eager = line.subscribe([&] { lines.append(line.value()); });
    open();
    close();
    QCOMPARE(lines, QStringList({u"offline"_s, u"as user_1"_s, u"offline"_s}));
}

void tst_Bindings::s6_handlersSeeWhatBindingsSee()
{
    QStringList mismatches;
    int heard = 0;
    const auto check = [&] {
        ++heard;
        if (const QString what = mismatch(lookAt(connection)); !what.isEmpty())
            mismatches.append(what);
    };
    const auto ofState = connection->bindableState().addNotifier(check);
    const auto ofIsConnected = connection->bindableIsConnected().onValueChanged(check);
    const auto ofSession = connection->bindableSessionInfo().addNotifier(check);
    const auto ofError = connection->bindableError().onValueChanged(check);
    open();
    server->close(1008, u"policy"_s);
    QTRY_COMPARE(connection->state(), Connection::Error);
    close();
    QVERIFY(heard >= 6);
    QCOMPARE(mismatches, QStringList());
}

void tst_Bindings::gettersAreNotedInBindings()
{
    QProperty<bool> isConnected([this] { return connection->isConnected(); });
    QProperty<QString> user([this] { return connection->sessionInfo().userId(); });
    QProperty<QString> line([this] { return QString::number(connection->state()) + connection->error(); });
    open();
    QCOMPARE(isConnected.value(), true);
    QCOMPARE(user.value(), u"user_1"_s);
    server->close(1008, u"policy"_s);
    QTRY_COMPARE(line.value(), QString::number(Connection::Error) + connection->error());
    QCOMPARE(user.value(), QString());
}

void tst_Bindings::bindingsFollowAnotherConnection()
{
    Connection *other = provider->connection(u"other"_s);
    QProperty<Connection *> current(connection);
    QProperty<State> state([&] { return current.value()->bindableState().value(); });
    open();
    QCOMPARE(state.value(), Connection::Connected);
    current = other;
    QCOMPARE(state.value(), Connection::Disconnected);
    other->open(); // has no URL
    QCOMPARE(state.value(), Connection::Error);
    current = connection;
    QCOMPARE(state.value(), Connection::Connected);
}

void tst_Bindings::aBindingOutlivesItsConnection()
{
    QProperty<State> state;
    state.setBinding(connection->bindableState().makeBinding());
    int changes = 0;
    const auto handler = state.onValueChanged([&] { ++changes; });
    open();
    QCOMPARE(changes, 3);
    delete connection.data();
    QCOMPARE(state.value(), Connection::Connected); // the last there was
    QCOMPARE(changes, 3);
}

void tst_Bindings::bindablesAreReadOnly()
{
    QVERIFY(isReadOnly(connection->bindableUrl()));
    QVERIFY(isReadOnly(connection->bindableState()));
    QVERIFY(isReadOnly(connection->bindableIsConnected()));
    QVERIFY(isReadOnly(connection->bindableError()));
    QVERIFY(isReadOnly(connection->bindableErrorCode()));
    QVERIFY(isReadOnly(connection->bindableCloseCode()));
    QVERIFY(isReadOnly(connection->bindableSessionInfo()));
    QVERIFY(isReadOnly(connection->bindableReconnectAttempt()));
    QVERIFY(isReadOnly(connection->bindableNextRetryIn()));
    QVERIFY(isReadOnly(connection->bindableQueuedMessages()));
    QVERIFY(isReadOnly(connection->bindableBytesToWrite()));
    // By name, too, as tools do.
    const QMetaObject &meta = Connection::staticMetaObject;
    for (int i = meta.propertyOffset(); i < meta.propertyCount(); ++i) {
        const QMetaProperty property = meta.property(i);
        if (property.isBindable())
            QVERIFY2(property.bindable(connection).isReadOnly(), property.name());
    }
    QVERIFY(!connection->setProperty("state", Connection::Connected));
    QCOMPARE(connection->state(), Connection::Disconnected);
}

void tst_Bindings::o5_aBindingMayDoAnything_data()
{
    QTest::addColumn<QString>("where");
    QTest::addColumn<QString>("action");
    QTest::addColumn<State>("when");
    const State states[]{Connection::Connecting,   Connection::Authenticating, Connection::Connected,
                         Connection::Reconnecting, Connection::Error,          Connection::Disconnecting,
                         Connection::Disconnected};
    for (const char *where :
         {"a binding's handler", "a notifier", "a notifier among others", "a later property"}) {
        for (const char *action :
             {"delete", "deleteProvider", "close", "open", "reopen", "reconnect", "send"}) {
            for (const State when : states)
                QTest::addRow("%s in %s of state %d", action, where, int(when))
                    << QString::fromLatin1(where) << QString::fromLatin1(action) << when;
        }
    }
}

void tst_Bindings::o5_aBindingMayDoAnything()
{
    QFETCH(const QString, where);
    QFETCH(const QString, action);
    QFETCH(const State, when);
    bool done = false;
    const QHash<QString, std::function<void()>> actions{
        {u"delete"_s, [&] { delete connection.data(); }},
        {u"deleteProvider"_s, [&] { provider.reset(); }},
        {u"close"_s, [&] { connection->close(); }},
        {u"open"_s, [&] { connection->open(); }},
        {u"reopen"_s,
         [&] {
             connection->close();
             connection->open();
         }},
        {u"reconnect"_s, [&] { connection->reconnect(); }},
        {u"send"_s,
         [&] {
             connection->sendJson({{u"type"_s, u"x"_s}});
         }},
    };
    const auto act = [&] {
        if (connection && connection->state() == when && !std::exchange(done, true))
            actions.value(action)();
    };

    QProperty<State> bound;
    std::vector<QPropertyNotifier> notifiers;
    const auto listen = [&](auto &&property) { notifiers.push_back(property.addNotifier(act)); };
    if (where == u"a binding's handler"_s) {
        bound.setBinding(connection->bindableState().makeBinding());
        listen(bound);
    } else if (where == u"a later property"_s) {
        listen(connection->bindableError());
        listen(connection->bindableCloseCode());
        listen(connection->bindableSessionInfo());
        listen(connection->bindableReconnectAttempt());
        listen(connection->bindableNextRetryIn());
    } else {
        const int others = where == u"a notifier"_s ? 0 : 3;
        for (int i = 0; i < others; ++i)
            notifiers.push_back(connection->bindableState().addNotifier([] {}));
        listen(connection->bindableState());
        for (int i = 0; i < others; ++i)
            notifiers.push_back(connection->bindableState().addNotifier([] {}));
    }

    // A life in which each state occurs, as far as the action lets it.
    const auto settled = [&] {
        return !connection || connection->isConnected() || connection->state() == Connection::Disconnected ||
               connection->state() == Connection::Error;
    };
    const auto step = [&](auto &&what) {
        if (connection)
            what();
        QVERIFY(soon(settled));
    };
    const auto untilItChanges = [&](auto &&what) {
        if (!connection || !connection->isConnected())
            return;
        QSignalSpy changed(connection, &Connection::stateChanged);
        what();
        QVERIFY(soon([&] { return !connection || !changed.isEmpty(); }));
    };
    step([&] { connection->open(); });
    untilItChanges([&] { server->drop(); });
    step([] {});
    untilItChanges([&] { server->close(1008, u"policy"_s); });
    step([] {});
    step([&] { connection->open(); });
    if (connection)
        connection->close();
    step([] {});

    QVERIFY(done || where == u"a later property"_s); // that one changes with some states only

    // Whatever it was, another life begins as ever.
    notifiers.clear();
    if (!provider)
        return;
    connection = provider->connection(u"x"_s);
    step([&] { connection->close(); });
    QVERIFY(soon([&] { return connection->state() == Connection::Disconnected; }));
    connection->open();
    QVERIFY(soon([&] { return connection->isConnected(); }));
    QCOMPARE(mismatch(lookAt(connection)), QString());
}

QTEST_GUILESS_MAIN(tst_Bindings)
#include "tst_bindings.moc"
