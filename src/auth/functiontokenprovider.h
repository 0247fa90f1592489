// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/TokenProvider>

#include <QFuture>

namespace Everwire {

// A function that returns a token, at once or as a future.
//
//     provider->setTokenProvider(new FunctionTokenProvider([] { return QFuture<QString>(session->freshJwt());
//     }));
//
// An empty QString means that there is none; a future that is cancelled or throws has failed and is asked for
// again under the rules of reconnection. The function runs on the provider's thread.
class EVERWIRE_EXPORT FunctionTokenProvider : public TokenProvider
{
    Q_OBJECT

public:
    explicit FunctionTokenProvider(std::function<QString()> function, QObject *parent = nullptr);
    explicit FunctionTokenProvider(std::function<QFuture<QString>()> function, QObject *parent = nullptr);

protected:
    void fetch(const TokenRequest &request) override;

private:
    std::function<void(const TokenRequest &)> m_fetch;
};

} // namespace Everwire
