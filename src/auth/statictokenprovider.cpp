// SPDX-License-Identifier: MIT
#include "auth/statictokenprovider.h"

namespace Everwire {

StaticTokenProvider::StaticTokenProvider(QString token, QObject *parent)
    : TokenProvider(parent), m_token(std::move(token))
{
}

void StaticTokenProvider::fetch(const TokenRequest &request)
{
    request.resolve(m_token);
}

} // namespace Everwire
