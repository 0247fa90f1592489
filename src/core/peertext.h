// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QString>
#include <QStringList>
#include <QVariantMap>

// Makes text of a peer (a server, a proxy, an HTTP endpoint) safe for our own sentences and logs.
// Such text is hostile: it may forge log lines, control a terminal, be endless, or quote the token
// (rules A7, C4).
namespace Everwire::PeerText {

// The most characters shown of a reason or an explanation.
inline constexpr qsizetype Longest = 500;
// The most characters shown of a name: a message type, a subprotocol, a header.
inline constexpr qsizetype LongestName = 100;

// Characters. Every piece of a secret with at least this length is masked. Shorter secrets are
// masked only as whole words.
inline constexpr qsizetype ShortestPiece = 8;

// The text, made safe to show:
// - controls (C0, C1, DEL), line and paragraph separators, invisible and bidirectional format
//   characters and lone surrogates are escaped ("\n", "\u001b");
// - each piece of a secret with 8 or more characters becomes "[token]", also if it is
//   percent-encoded, escaped for JSON or HTML, or in base64 or hexadecimal. A secret with fewer
//   than 8 characters is masked only as a whole word;
// - the text is cut after *limit* characters, with "…" at the end.
// Only for the peer's own text: mask it before it becomes part of our own sentence.
[[nodiscard]] EVERWIRE_EXPORT QString shown(QStringView text, const QStringList &secrets = {},
                                            qsizetype limit = Longest);
// The same for UTF-8 bytes. Each run of white space becomes one space.
[[nodiscard]] EVERWIRE_EXPORT QString shownLine(QByteArrayView utf8, const QStringList &secrets = {},
                                                qsizetype limit = Longest);

// The secrets that are too long to occur by chance. For texts that are mostly Qt's, such as a
// socket's errorString().
[[nodiscard]] EVERWIRE_EXPORT QStringList longOnes(const QStringList &secrets);

// The secrets in HTTP headers or in a request's body (name to value), recognized by their names:
// credentials without their scheme, cookies, keys, passwords.
[[nodiscard]] EVERWIRE_EXPORT QStringList secretsOf(const QVariantMap &named);

} // namespace Everwire::PeerText
