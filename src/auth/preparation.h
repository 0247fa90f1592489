// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionConfig>
#include <Everwire/Global>

#include <QObject>
#include <QPointer>
#include <QString>
#include <QVariantMap>

#include <functional>
#include <memory>

namespace Everwire {

// How a preparation ended.
struct PreparationResult
{
    enum Kind {
        Ready,        // options has what fills the URL
        Failed,       // not this time; tried again under the rules of reconnection
        Refused,      // never with this request: the connection goes to Error
        TokenRefused, // the token is no good: a fresh one is fetched (rule A3)
    };
    Kind kind = Failed;
    QVariantMap options;
    QString reason;       // for users and logs
    bool isShown = false; // set by the library: reason contains no secrets and needs no escaping
};

class Preparation;

// One call of a Preparation. Copies are the same call; the first answer counts. Answer from the provider's thread.
class EVERWIRE_EXPORT PreparationRequest
{
public:
    // The connection's type.
    [[nodiscard]] QString type() const;
    // With its options, which may say what to prepare.
    [[nodiscard]] ConnectionConfig configuration() const;
    // What the connection will authenticate with; empty where it does not.
    [[nodiscard]] QString token() const;

    // These options are added to the connection's, for its URL and for whoever reads configuration().
    void resolve(const QVariantMap &options) const;
    // It may work the next time.
    void reject(const QString &reason) const;
    // It will not.
    void refuse(const QString &reason) const;
    // It may with another token.
    void refuseToken(const QString &reason) const;

private:
    friend class Preparation;
    friend class HttpPreparation;
    struct State;
    explicit PreparationRequest(std::shared_ptr<State> state) : d(std::move(state)) {}
    void answer(PreparationResult result) const;

    std::shared_ptr<State> d;
};

// What has to be done before a connection's socket can be opened: a session created by a REST request, for instance,
// whose id is a part of the URL. Runs once for each open(), behind the token and before the socket, while the connection
// is Connecting; reconnecting uses what it has found. Lives on the thread of the WebSocketProvider.
//
//     class RoomBooking : public Everwire::Preparation {
//         void prepare(const Everwire::PreparationRequest &request) override
//         {
//             book([request](const QString &room) { request.resolve({{"room", room}}); });
//         }
//     };
//     connection->setPreparation(new RoomBooking); // of wss://example.com/rooms/{room}
//
// HttpPreparation is the ready-made one.
class EVERWIRE_EXPORT Preparation : public QObject
{
    Q_OBJECT

public:
    using Callback = std::function<void(const PreparationResult &)>;

    explicit Preparation(QObject *parent = nullptr);
    ~Preparation() override;

    // Calls back once, never from inside this call, unless *context* is gone by then. What connections use.
    void run(const QString &type, const ConnectionConfig &config, const QString &token, QObject *context,
             Callback callback);

protected:
    // Answer the request now or later; preparationTimeout bounds it.
    virtual void prepare(const PreparationRequest &request) = 0;
};

} // namespace Everwire
