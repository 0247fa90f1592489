// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/TokenProvider>

namespace Everwire {

// A token that the app already has.
class EVERWIRE_EXPORT StaticTokenProvider : public TokenProvider
{
    Q_OBJECT

public:
    explicit StaticTokenProvider(QString token, QObject *parent = nullptr);

    // Used from the next attempt on. An empty one means that there is none.
    void setToken(const QString &token) { m_token = token; }

protected:
    void fetch(const TokenRequest &request) override;

private:
    QString m_token;
};

} // namespace Everwire
