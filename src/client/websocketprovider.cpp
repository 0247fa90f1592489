// SPDX-License-Identifier: MIT
#include "client/websocketprovider.h"

#include "auth/statictokenprovider.h"
#include "client/connection_p.h"
#include "client/connectionsmodel.h"
#include "client/environment.h"
#include "client/networkmonitor.h"
#include "core/exceptions.h"
#include "core/logging.h"
#include "engine/wirethread.h"

#include <QCoreApplication>
#include <QHash>
#include <QPointer>

namespace Everwire {

struct WebSocketProvider::Private
{
    explicit Private(WebSocketProvider *q) : connections(new ConnectionsModel(q)) {}

    std::unique_ptr<EngineRoom> engineRoom; // made with the first connection
    QHash<QString, Connection *> byType;
    QHash<QString, QString> environment; // what files have defined
    QHash<QString, ConnectionConfig> configs;
    ConnectionsModel *connections;
    QPointer<TokenProvider> tokenProvider;
    StaticTokenProvider *ownToken = nullptr;
    QPointer<NetworkMonitor> monitor;
    bool monitorIsChosen = false;
    bool debug = false;
    bool isEnding = false; // being destroyed: no connection is created any more
};

namespace {

ConnectionConfig builtIn(const QString &type)
{
    // Rule R3; the others have the general default.
    return type == QLatin1String("notifications") ? ConnectionConfig().setMaxReconnectAttempts(5)
                                                  : ConnectionConfig();
}

QPointer<WebSocketProvider> theInstance;

} // namespace

WebSocketProvider::WebSocketProvider(QObject *parent) : QObject(parent), d(std::make_unique<Private>(this)) {}

WebSocketProvider::~WebSocketProvider()
{
    d->isEnding = true;
    const auto withEach = [this](void (ConnectionPrivate::*call)()) {
        containExceptions(QStringLiteral("A slot that was told that the provider ends"),
                          [&] { forEach([&](Connection &connection) { (*connection.d.*call)(); }); });
    };
    withEach(&ConnectionPrivate::sayGoodbye);
    if (d->engineRoom)
        d->engineRoom->waitForRest();
    withEach(&ConnectionPrivate::tellWhatWasLost);
    forEach([](Connection &connection) { delete &connection; });
}

// A handler may delete connections during the loop. If one throws, the others are still called, and
// the exception is rethrown at the end.
template<typename Function>
void WebSocketProvider::forEach(Function &&function)
{
    const QList<Connection *> list = d->connections->list();
    const QList<QPointer<Connection>> all(list.begin(), list.end());
    AllSteps steps;
    for (const QPointer<Connection> &connection : all) {
        if (connection)
            steps.run([&] { function(*connection); });
    }
    steps.finish();
}

WebSocketProvider *WebSocketProvider::instance()
{
    if (!theInstance && QCoreApplication::instance()) {
        theInstance = new WebSocketProvider;
        // Runs while the application object still works, unlike a static's destructor.
        qAddPostRoutine([] { delete theInstance.data(); });
    }
    if (!theInstance)
        qCWarning(lcConnection)
            << "WebSocketProvider::instance() needs a QCoreApplication; there is none yet, or none any more";
    return theInstance;
}

Connection *WebSocketProvider::connection(const QString &type)
{
    if (type.isEmpty()) {
        qCWarning(lcConnection)
            << "WebSocketProvider::connection() needs the name of a type, for example \"simulation\"";
        return nullptr;
    }
    if (Connection *known = d->byType.value(type))
        return known;
    if (d->isEnding)
        return nullptr;
    const QPointer<Connection> connection = new Connection(type, this);
    d->byType.insert(type, connection);
    connection->d->configured();
    d->connections->append(connection); // last: a slot may do anything
    return connection;
}

bool WebSocketProvider::configure(const QString &type, const ConnectionConfig &config)
{
    QStringList problems = config.problems();
    if (type.isEmpty())
        problems.prepend(QStringLiteral("the type's name is empty"));
    if (!problems.isEmpty()) {
        qCWarning(lcConfig).noquote()
            << "configure() of" << type << "was refused -" << problems.join(QStringLiteral("; "));
        return false;
    }
    d->configs.insert(type, config);
    if (Connection *connection = d->byType.value(type))
        connection->d->configured();
    return true;
}

bool WebSocketProvider::configure(const QString &type, const QVariantMap &config)
{
    QStringList problems;
    const ConnectionConfig read = ConnectionConfig::fromVariantMap(config, &problems);
    if (problems.isEmpty())
        return configure(type, read);
    qCWarning(lcConfig).noquote() << "configure() of" << type << "was refused -"
                                  << problems.join(QStringLiteral("; "));
    return false;
}

ConnectionConfig WebSocketProvider::configuration(const QString &type) const
{
    return builtIn(type)
        .mergedWith(Environment::configurationFor(type, d->environment))
        .mergedWith(d->configs.value(type));
}

bool WebSocketProvider::loadEnvironmentFile(const QString &path)
{
    const bool isGood = Environment::readFile(path, &d->environment);
    forEach([](Connection &connection) { connection.d->configured(); });
    return isGood;
}

void WebSocketProvider::closeAll()
{
    forEach([](Connection &connection) { connection.close(); });
}

void WebSocketProvider::signOut()
{
    if (d->ownToken)
        d->ownToken->setToken({});
    forEach([](Connection &connection) { connection.forget(); });
}

void WebSocketProvider::signIn(const QString &token)
{
    const QPointer<WebSocketProvider> self(this);
    AllSteps steps;
    steps.run([&] { signOut(); });
    if (self && !token.isEmpty())
        steps.run([&] { setToken(token); });
    if (self)
        steps.run([&] { forEach([](Connection &connection) { connection.d->openForHandles(); }); });
    steps.finish();
}

void WebSocketProvider::setNetworkMonitor(NetworkMonitor *monitor)
{
    d->monitorIsChosen = true;
    if (d->monitor)
        d->monitor->disconnect(this);
    d->monitor = monitor;
    if (monitor)
        connect(monitor, &NetworkMonitor::networkBack, this,
                [this] { forEach([](Connection &connection) { connection.d->networkBack(); }); });
}

NetworkMonitor *WebSocketProvider::networkMonitor() const
{
    return d->monitor;
}

void WebSocketProvider::setTokenProvider(TokenProvider *provider)
{
    if (provider == d->tokenProvider)
        return;
    d->tokenProvider = provider;
    Q_EMIT tokenProviderChanged();
}

TokenProvider *WebSocketProvider::tokenProvider() const
{
    return d->tokenProvider;
}

void WebSocketProvider::setToken(const QString &token)
{
    if (!d->ownToken)
        d->ownToken = new StaticTokenProvider({}, this);
    d->ownToken->setToken(token);
    const QPointer<WebSocketProvider> self(this);
    setTokenProvider(d->ownToken);
    if (self)
        Q_EMIT tokenChanged();
}

bool WebSocketProvider::debug() const
{
    return d->debug;
}

void WebSocketProvider::setDebug(bool debug)
{
    if (debug == d->debug)
        return;
    d->debug = debug;
    forEach([](Connection &connection) { connection.d->applyDebug(); });
    Q_EMIT debugChanged();
}

ConnectionsModel *WebSocketProvider::connections() const
{
    return d->connections;
}

EngineRoom &WebSocketProvider::engineRoom()
{
    if (!d->engineRoom) {
        d->engineRoom = EngineRoom::make();
        if (!d->monitorIsChosen)
            setNetworkMonitor(new SystemNetworkMonitor(this));
    }
    return *d->engineRoom;
}

void WebSocketProvider::forget(Connection *connection, EngineHost *engine)
{
    d->byType.remove(connection->type());
    d->engineRoom->remove(engine);
    d->connections->remove(connection); // last: a slot may delete us
}

} // namespace Everwire
