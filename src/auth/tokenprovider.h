// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QObject>
#include <QString>

#include <functional>
#include <memory>

namespace Everwire {

// How one token request ended.
struct TokenResult
{
    enum Kind {
        Token,  // token holds it
        None,   // there is no token: nobody is logged in
        Failed, // it could not be had this time; reason says why
    };
    Kind kind = None;
    QString token;
    QString reason; // for a person; of None it may be empty
};

class TokenProvider;

// One request for a token. Copies are the same request; the first answer counts, later ones are ignored.
// Answer from any thread.
class EVERWIRE_EXPORT TokenRequest
{
public:
    // An empty token means that there is none.
    void resolve(const QString &token) const;
    void reject(const QString &reason) const;
    // Nobody is logged in: the connection goes to Error (NoToken) until open() is called again.
    void resolveNone(const QString &reason = {}) const;
    // One that was given before will not do: the server has refused it, or it is about to expire. For providers that
    // keep what they have fetched.
    [[nodiscard]] bool wantsFresh() const;

private:
    friend class TokenProvider;
    struct State;
    explicit TokenRequest(std::shared_ptr<State> state) : d(std::move(state)) {}

    std::shared_ptr<State> d;
};

// Where connections get their JWT from, once for every attempt (rule A1). Lives on the thread of its
// WebSocketProvider. However many connections ask at the same time, fetch() runs once and all get its answer; whoever
// needs a fresh token waits for a fetch() that was told so.
//
//     class KeychainTokens : public Everwire::TokenProvider {
//         void fetch(const Everwire::TokenRequest &request) override { request.resolve(readKeychain()); }
//     };
class EVERWIRE_EXPORT TokenProvider : public QObject
{
    Q_OBJECT

public:
    using Callback = std::function<void(const TokenResult &)>;

    explicit TokenProvider(QObject *parent = nullptr);
    ~TokenProvider() override;

    // Calls back once on this object's thread, never from inside this call, unless *context* is gone by then
    // or abandon(context) was called. What connections use; an app seldom needs it.
    void request(QObject *context, Callback callback, bool fresh = false);
    // Ends the waiting of one context, so that a fetch() that never answers cannot hold up the next.
    void abandon(QObject *context);

protected:
    // Answer the request now or later. Not called again before it is answered or abandoned.
    virtual void fetch(const TokenRequest &request) = 0;

private:
    friend class TokenRequest;
    void answer(const std::shared_ptr<TokenRequest::State> &request, const TokenResult &result);

    void start(std::shared_ptr<TokenRequest::State> request);
    void startNext();
    static void tellThatItIsGone(TokenRequest::State &request);
    static void removeWaiter(TokenRequest::State &request, QObject *context);
    [[nodiscard]] static bool isWaitedFor(const TokenRequest::State &request);

    std::shared_ptr<TokenRequest::State> m_current;
    std::shared_ptr<TokenRequest::State> m_next; // of those who want a fresh one, while another is under way
    std::shared_ptr<TokenRequest::State> m_answered; // while its waiters are being called
};

} // namespace Everwire
