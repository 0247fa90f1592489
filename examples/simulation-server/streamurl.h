// SPDX-License-Identifier: MIT
#pragma once

#include <QString>
#include <QUrl>

namespace Everwire::Demo {

/// What a client asks for by the URL it connects to.
struct StreamRequest
{
    QString sessionId;     ///< From the path, or generated.
    bool isStream = false; ///< The path was `/api/v1/simulations/{session_id}/stream`.
    QString scenario;      ///< `scenario=`, may be empty.
    QString role;          ///< `role=`, may be empty.
    QString fault;         ///< `fault=`, may be empty.
};

[[nodiscard]] StreamRequest parseStreamUrl(const QUrl &url);

/// True for 1 to 64 letters, digits, `_` and `-`: safe as the name of a folder.
[[nodiscard]] bool isSessionId(const QString &text);

} // namespace Everwire::Demo
