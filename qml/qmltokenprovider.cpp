// SPDX-License-Identifier: MIT
#include "qmltokenprovider.h"

#include <QMetaMethod>
#include <QQmlEngine>

namespace Everwire {

QmlTokenRequest::~QmlTokenRequest()
{
    m_request.reject(QStringLiteral("onTokenRequested has let go of the request without an answer"));
}

void QmlTokenProvider::fetch(const TokenRequest &request)
{
    if (!isSignalConnected(QMetaMethod::fromSignal(&QmlTokenProvider::tokenRequested))) {
        request.reject(QStringLiteral("the TokenProvider element has no onTokenRequested"));
        return;
    }
    auto *object = new QmlTokenRequest(request);
    QJSEngine::setObjectOwnership(object, QJSEngine::JavaScriptOwnership);
    Q_EMIT tokenRequested(object);
}

} // namespace Everwire
