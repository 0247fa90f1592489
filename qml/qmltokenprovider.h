// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/TokenProvider>

#include <QObject>
#include <QtQmlIntegration>

namespace Everwire {

// What TokenProvider's onTokenRequested is given; may be answered later, once. Forgotten without an answer it counts as
// rejected.
class QmlTokenRequest final : public QObject
{
    Q_OBJECT
    QML_NAMED_ELEMENT(TokenRequest)
    QML_UNCREATABLE("onTokenRequested is given one")
    // One that was given before will not do: the server has refused it, or it is about to expire.
    Q_PROPERTY(bool wantsFresh READ wantsFresh CONSTANT FINAL)

public:
    explicit QmlTokenRequest(TokenRequest request) : m_request(std::move(request)) {}
    ~QmlTokenRequest() override;

    [[nodiscard]] bool wantsFresh() const { return m_request.wantsFresh(); }

    // An empty token means that nobody is signed in.
    Q_INVOKABLE void resolve(const QString &token) { m_request.resolve(token); }
    // It is tried again under the rules of reconnection.
    Q_INVOKABLE void reject(const QString &reason = {}) { m_request.reject(reason); }
    // Nobody is signed in: the connection goes to Error until it is opened again.
    Q_INVOKABLE void resolveNone(const QString &reason = {}) { m_request.resolveNone(reason); }

private:
    TokenRequest m_request;
};

// Tokens from QML.
//
//     TokenProvider {
//         id: tokens
//         onTokenRequested: request => session.freshJwt().then(jwt => request.resolve(jwt), e => request.reject(e))
//         Component.onCompleted: WebSocketProvider.tokenProvider = tokens
//     }
//
// Its base is qualified for qmltyperegistrar, which does not find it otherwise.
class QmlTokenProvider : public Everwire::TokenProvider
{
    Q_OBJECT
    QML_NAMED_ELEMENT(TokenProvider)

public:
    using TokenProvider::TokenProvider;

Q_SIGNALS:
    void tokenRequested(Everwire::QmlTokenRequest *request);

protected:
    void fetch(const TokenRequest &request) override;
};

} // namespace Everwire
