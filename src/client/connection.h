// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionConfig>
#include <Everwire/ConnectionError>
#include <Everwire/Handler>
#include <Everwire/Message>
#include <Everwire/MessageModel>
#include <Everwire/Preparation>
#include <Everwire/SessionInfo>
#include <Everwire/Subscription>
#include <Everwire/TokenProvider>

#include <QBindable>
#include <QFuture>
#include <QJsonObject>
#include <QObject>
#include <QUrl>

#include <chrono>
#include <memory>

namespace Everwire {

class ConnectionHandle;
class ConnectionPrivate;
class JsHandler;
class JsPromise;
class WebSocketProvider;

// One shared connection of a named type. WebSocketProvider::connection() hands it out and owns it; whoever
// asks for the same type gets the same object. Its properties are there to be bound to, in QML and with
// QProperty.
//
//     Connection *simulation = WebSocketProvider::instance()->connection("simulation");
//     simulation->subscribe("ai_response", this, [this](const QJsonObject &answer) { show(answer); });
//     simulation->open();
//     simulation->sendJson({{"type", "message"}, {"content", "Hello!"}});
//
// Everything belongs to the provider's thread, but send() and sendJson(), which any thread may call (rule
// Q10). The network is another thread's: nothing here ever waits for it.
class EVERWIRE_EXPORT Connection : public QObject
{
    Q_OBJECT
    // The name it was asked for by.
    Q_PROPERTY(QString type READ type CONSTANT FINAL)
    // Where it connects to, templates filled; empty before the first open().
    Q_PROPERTY(QUrl url READ url NOTIFY urlChanged BINDABLE bindableUrl FINAL)
    Q_PROPERTY(Everwire::Connection::State state READ state NOTIFY stateChanged BINDABLE bindableState FINAL)
    // state == Connected: authenticated, what is sent goes out.
    Q_PROPERTY(bool isConnected READ isConnected NOTIFY isConnectedChanged BINDABLE bindableIsConnected FINAL)
    // The last messages received and sent: at most historyLimit messages and historyBytes bytes.
    Q_PROPERTY(Everwire::MessageModel *messages READ messages CONSTANT FINAL)
    // Why it is in Error or Reconnecting, in a sentence that a person can act on; empty when all is well (S3,
    // S4).
    Q_PROPERTY(QString error READ error NOTIFY errorChanged BINDABLE bindableError FINAL)
    // The same for a program.
    Q_PROPERTY(Everwire::ConnectionError::Code errorCode READ errorCode NOTIFY errorCodeChanged BINDABLE
                   bindableErrorCode FINAL)
    // How the last connection ended: RFC 6455 §7.4, 1006 for a loss without a Close frame (R8); 0 while
    // connected.
    Q_PROPERTY(int closeCode READ closeCode NOTIFY closeCodeChanged BINDABLE bindableCloseCode FINAL)
    // What the server said in auth_success; empty while not connected (A5).
    Q_PROPERTY(Everwire::SessionInfo sessionInfo READ sessionInfo NOTIFY sessionInfoChanged BINDABLE
                   bindableSessionInfo FINAL)
    // Which attempt to reconnect runs or is waited for, from 1; 0 otherwise (S2).
    Q_PROPERTY(int reconnectAttempt READ reconnectAttempt NOTIFY reconnectAttemptChanged BINDABLE
                   bindableReconnectAttempt FINAL)
    // Milliseconds until it, counting down while Reconnecting; 0 otherwise (S2).
    Q_PROPERTY(int nextRetryIn READ nextRetryIn NOTIFY nextRetryInChanged BINDABLE bindableNextRetryIn FINAL)
    // Messages that wait to be sent (Q3).
    Q_PROPERTY(int queuedMessages READ queuedMessages NOTIFY queuedMessagesChanged BINDABLE
                   bindableQueuedMessages FINAL)
    // Bytes of accepted messages that the operating system has not taken: in the queue or in the socket (Q7).
    Q_PROPERTY(
        qint64 bytesToWrite READ bytesToWrite NOTIFY bytesToWriteChanged BINDABLE bindableBytesToWrite FINAL)
    // Used before the provider's own for this connection's tokens (A1). Not owned; nullptr: the provider's.
    Q_PROPERTY(Everwire::TokenProvider *tokenProvider READ tokenProvider WRITE setTokenProvider NOTIFY
                   tokenProviderChanged FINAL)
    // Runs before each open()'s socket: a REST request whose answer fills the URL, for instance. Not owned.
    Q_PROPERTY(Everwire::Preparation *preparation READ preparation WRITE setPreparation NOTIFY
                   preparationChanged FINAL)
    // Logs this connection under everwire.*: states, sizes and types, no payload and no token (C4).
    Q_PROPERTY(bool debug READ debug WRITE setDebug NOTIFY debugChanged FINAL)

public:
    enum State { Disconnected, Connecting, Authenticating, Connected, Reconnecting, Disconnecting, Error };
    Q_ENUM(State)

    ~Connection() override;

    [[nodiscard]] QString type() const;
    [[nodiscard]] QUrl url() const;
    [[nodiscard]] State state() const;
    [[nodiscard]] bool isConnected() const;
    [[nodiscard]] MessageModel *messages() const;
    [[nodiscard]] QString error() const;
    [[nodiscard]] ConnectionError::Code errorCode() const;
    [[nodiscard]] int closeCode() const;
    [[nodiscard]] SessionInfo sessionInfo() const;
    [[nodiscard]] int reconnectAttempt() const;
    [[nodiscard]] int nextRetryIn() const;
    [[nodiscard]] int queuedMessages() const;
    [[nodiscard]] qint64 bytesToWrite() const;
    [[nodiscard]] bool debug() const;
    void setDebug(bool debug);

    // Read-only, to bind to from C++.
    [[nodiscard]] QBindable<QUrl> bindableUrl() const;
    [[nodiscard]] QBindable<State> bindableState() const;
    [[nodiscard]] QBindable<bool> bindableIsConnected() const;
    [[nodiscard]] QBindable<QString> bindableError() const;
    [[nodiscard]] QBindable<ConnectionError::Code> bindableErrorCode() const;
    [[nodiscard]] QBindable<int> bindableCloseCode() const;
    [[nodiscard]] QBindable<SessionInfo> bindableSessionInfo() const;
    [[nodiscard]] QBindable<int> bindableReconnectAttempt() const;
    [[nodiscard]] QBindable<int> bindableNextRetryIn() const;
    [[nodiscard]] QBindable<int> bindableQueuedMessages() const;
    [[nodiscard]] QBindable<qint64> bindableBytesToWrite() const;

    void setTokenProvider(TokenProvider *provider);
    [[nodiscard]] TokenProvider *tokenProvider() const;

    void setPreparation(Preparation *preparation);
    [[nodiscard]] Preparation *preparation() const;

    // What the next attempt uses: open(config) over configure() over the environment over the defaults (C1).
    Q_INVOKABLE [[nodiscard]] Everwire::ConnectionConfig configuration() const;

    // Connects, if Disconnected or in Error. In Reconnecting it ends the wait. In Disconnecting it
    // connects after the goodbye, and accepts messages at once (Q2). Otherwise it does nothing
    // (O1). Without a URL the connection is in Error at once (O4).
    Q_INVOKABLE void open();
    // The same, with a configuration that applies from now on, also to every later open() (C1, C5).
    // An empty one removes an earlier one. While Connecting, Authenticating or Connected, open()
    // does nothing, and warns if the configuration is a different one. To apply it then, use
    // reconnect(config).
    void open(const ConnectionConfig &config);
    Q_INVOKABLE void open(const QVariantMap &config);
    // open(), and how it ended: finished when Connected is reached, at once where it is reached already; throws a
    // ConnectionException when the connection is in Error, was closed or is gone. Reconnecting goes on waiting.
    QFuture<SessionInfo> openAsync();
    QFuture<SessionInfo> openAsync(const ConnectionConfig &config);
    // The same for JavaScript: opened().then(session => …, error => …), a promise of the engine that asks. What is open
    // or opening already it only waits for: it stays whose it was, a handle's for instance (rule O7).
    Q_INVOKABLE QVariant opened();
    // Ends in Disconnected, from every state (O2, O3). Messages that were accepted while connected
    // are sent first. Messages that waited for a connection are discarded and reported (Q8).
    // Pending requests fail at once, and those of their messages that were not sent are withdrawn
    // (Q11).
    Q_INVOKABLE void close();
    // A new attempt at once, in any state, with the current configuration; the queue is kept (C5).
    Q_INVOKABLE void reconnect();
    // The same, with a configuration that replaces the one of open(config) from now on (C1, C5). An
    // empty one removes that, so that configure() and the environment apply again. An invalid one
    // changes nothing and is logged.
    void reconnect(const ConnectionConfig &config);
    Q_INVOKABLE void reconnect(const QVariantMap &config);

    // All return whether the message was accepted: sent, or queued to be sent (Q1). false: messageRejected()
    // says why, and nothing will be sent.
    Q_INVOKABLE bool send(const QString &text);
    Q_INVOKABLE bool send(const QByteArray &bytes);
    bool send(const char *text) { return send(QString::fromUtf8(text)); }
    // An object with a non-empty string "type" (Q5).
    Q_INVOKABLE bool sendJson(const QJsonObject &message);
    // The object and right behind it a binary message: both are accepted, or neither; nothing gets between
    // (Q9).
    Q_INVOKABLE bool sendJson(const QJsonObject &message, const QByteArray &attachment);

    // Sends the message with an id in requestIdField. The future finishes with the message that has
    // the same id in replyIdField. Subscribers receive that message, too. If the app set an id (a
    // non-empty string or a number), it is kept. If there is none, or it is null or "", the library
    // generates a string. The reply's id must be equal and of the same JSON type: 5 and 5.0 are
    // equal, "5" is different. A reply needs no "type" (Q12, Q13).
    //
    // Throws a ConnectionException:
    // - RequestTimeout after *timeout*, counted from the call. Longer timeouts count as 2^31 - 1 ms
    //   (24.8 days). With 0 or less the request fails at once and is not sent (Q14).
    // - RequestFailed if the message was not accepted or was discarded, if the connection was
    //   closed, or if the server replied with an error. serverCode(), serverMessage() and
    //   serverObject() hold the server's error.
    // - The connection's error if the connection is lost after the message was sent, or if the
    //   connection gives up (Error).
    //
    // A request owns its message until it is handed over for sending. If the request ends before
    // that, for whatever reason (QFuture::cancel() included), the message is withdrawn and never
    // sent. If the connection is lost before the message is sent, the request keeps waiting, and
    // the next connection sends it (Q11). If a request fails after its message was sent, it is
    // unknown whether the server has carried it out. request() belongs to the provider's thread.
    // cancel() may be called on any thread.
    QFuture<QJsonObject> request(const QJsonObject &message, std::chrono::milliseconds timeout);

    // A text from the server, made safe to show or log, for example a field of a message. Controls
    // are escaped, the length is bounded, and the connection's token is masked. The library shows
    // all text from the server in this way. The provider's thread only.
    [[nodiscard]] QString shown(const QString &peerText) const;

    // Closes, and forgets all that belongs to the user: queue, messages, session, error, what open(config) and the
    // preparation have said. WebSocketProvider::signOut() does it to every connection.
    Q_INVOKABLE void forget();

    // Calls the handler, in the context object's thread, for every message of this type: "*" or "message" is
    // every one that is not binary; the guide's lifecycle names are listed in docs/guide.md (M1 to M5). The
    // handler takes a QJsonObject, a Message, a QVariant, nothing, a Q_GADGET whose properties are filled by
    // name, or what a QVariant converts to (a QString for "stateChange"); a member function of the context
    // will do. A gadget is made, and its properties are written, on the wire thread. It works before open() and until
    // the handle or the context ends it. A context in another thread than the provider's, which needs an event loop there,
    // hears messages without the provider's thread, and lifecycle events by way of it.
    template<typename Payload = void, typename Context, typename Handler>
    Subscription subscribe(const QString &event, Context *context, Handler &&handler)
    {
        return addSubscription(event, context,
                               Detail::toHandler<Payload>(context, std::forward<Handler>(handler)),
                               Detail::wantedAs<Detail::TakenBy<Payload, std::decay_t<Handler>>>());
    }
    // The same for JavaScript: the function is given each message's payload. Returns a function that ends it.
    // Works where the QML module is loaded, whose JsHandler does it: this library knows no JavaScript.
    Q_INVOKABLE QVariant subscribe(const QString &event, const QVariant &function);

Q_SIGNALS:
    void stateChanged(Everwire::Connection::State state);
    void connected(const Everwire::SessionInfo &session);
    // A connection that was Connected has ended.
    void disconnected(int closeCode, const QString &reason);
    // Every failure; error.isFinal() says whether it is tried again.
    void errorOccurred(const Everwire::ConnectionError &error);
    // An attempt to connect failed.
    void connectionError(const QString &message);
    void authenticationError(const QString &message);
    void authenticationTimeout();
    // A wait has begun; delay is in milliseconds (R5).
    void reconnecting(int attempt, int delay);
    void maxReconnectAttemptsReached(int attempts);
    void messageReceived(const Everwire::Message &message);
    void binaryMessageReceived(const QByteArray &bytes);
    // The server sent a text that is not JSON (M2).
    void parseError(const QString &text, const QString &reason);
    // send() or sendJson() returned false. Of those of other threads that wait to be told, the first 1000 are told one
    // by one, and together the others: how many, and why the last one.
    void messageRejected(const QString &reason);
    // Messages that were accepted, or received, are gone (Q3, Q8, A3, M8).
    void messagesDiscarded(int count, const QString &reason);
    // forget() was called: what was shown of the user must go.
    void forgotten();

    void urlChanged();
    void isConnectedChanged();
    void errorChanged();
    void errorCodeChanged();
    void closeCodeChanged();
    void sessionInfoChanged();
    void reconnectAttemptChanged();
    void nextRetryInChanged();
    void queuedMessagesChanged();
    void bytesToWriteChanged();
    void debugChanged();
    void tokenProviderChanged();
    void preparationChanged();

protected:
    bool event(QEvent *event) override;
    void connectNotify(const QMetaMethod &signal) override;

    // For JavaScript, which can call protected members, and in which a time is a number of
    // milliseconds. connection.request(message).then(…) uses a timeout of 10 s. A timeout that is
    // NaN rejects the promise.
    Q_INVOKABLE QVariant request(const QJsonObject &message);
    Q_INVOKABLE QVariant request(const QJsonObject &message, double timeoutMs);

private:
    friend class ConnectionHandle;
    friend class ConnectionPrivate;
    friend class JsHandler;
    friend class JsPromise;
    friend class QmlSubscription;
    friend class WebSocketProvider;
    Connection(const QString &type, WebSocketProvider *provider);

    Subscription addSubscription(const QString &event, QObject *context,
                                 std::function<void(const Message &)> handler, const Detail::Wanted &wanted);

    static QVariant (*s_toPromise)(const QFuture<QVariant> &);
    static QVariant (*s_subscribeFunction)(Connection *, const QString &, const QVariant &);

    const std::unique_ptr<ConnectionPrivate> d;
};

} // namespace Everwire
