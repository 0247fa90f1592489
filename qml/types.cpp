// SPDX-License-Identifier: MIT
#include "types.h"

#include "jshandler.h"
#include "jspromise.h"

namespace Everwire {

namespace {

// When the library is loaded.
const bool installed = (JsHandler::install(), JsPromise::install(), true);

} // namespace

WebSocketProvider *WebSocketProviderType::create(QQmlEngine *, QJSEngine *)
{
    WebSocketProvider *provider = WebSocketProvider::instance();
    QJSEngine::setObjectOwnership(provider, QJSEngine::CppOwnership);
    return provider;
}

} // namespace Everwire
