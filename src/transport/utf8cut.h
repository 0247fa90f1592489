// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QByteArray>

namespace Everwire {

// QWebSocket cuts a message every so many bytes, and a QWebSocket at the other end decodes each frame alone:
// it gives up (1007) where a code point was split, although RFC 6455 §5.6 allows that.

// The largest frame size in (maxFrameSize / 2, maxFrameSize] with which no cut splits a code point; 0 where
// there is none.
[[nodiscard]] EVERWIRE_EXPORT qint64 frameSizeForText(QByteArrayView utf8, qint64 maxFrameSize);

// The same JSON with each character that a cut would split written as \uXXXX, which may be cut anywhere.
// Outside of ASCII there are only characters of strings in JSON, so this changes no value.
[[nodiscard]] EVERWIRE_EXPORT QByteArray escapedAtCuts(const QByteArray &json, qint64 frameSize);

} // namespace Everwire
