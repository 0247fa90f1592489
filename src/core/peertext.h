// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QString>
#include <QStringList>
#include <QVariantMap>

// Text of a peer (a server, a proxy, an HTTP endpoint) in our own sentences and logs. A peer's text
// is hostile: it may forge log lines, drive a terminal, be endless, or quote the token (rules A7,
// C4).
namespace Everwire::PeerText {

// Characters of a reason or an explanation that are shown at most.
inline constexpr qsizetype Longest = 500;
// The same for a name: a message type, a subprotocol, a header.
inline constexpr qsizetype LongestName = 100;

// A secret of fewer characters is masked as a whole word only, of the rest each piece of so many.
inline constexpr qsizetype ShortestPiece = 8;

// The text as it may be shown:
// - controls (C0, C1, DEL), line and paragraph separators, invisible and bidirectional format
//   characters and lone surrogates are escaped ("\n", "\u001b");
// - each piece of 8 or more characters of a secret becomes "[token]", also if it is
//   percent-encoded, escaped for JSON or HTML, or in base64 or hexadecimal. A secret of fewer than 8
//   characters is masked as a whole word only;
// - at most *limit* characters, and "…" if there were more.
// Only for the peer's own words: mask them before they become a part of a sentence of ours.
[[nodiscard]] EVERWIRE_EXPORT QString shown(QStringView text, const QStringList &secrets = {},
                                            qsizetype limit = Longest);
// The same for UTF-8 bytes, with each run of white space as one space.
[[nodiscard]] EVERWIRE_EXPORT QString shownLine(QByteArrayView utf8, const QStringList &secrets = {},
                                                qsizetype limit = Longest);

// Those secrets that no sentence holds by chance: for words that are mostly Qt's, as a socket's
// errorString().
[[nodiscard]] EVERWIRE_EXPORT QStringList longOnes(const QStringList &secrets);

// What is secret in HTTP headers or in a request's body (name to value), by the names: credentials
// without their scheme, cookies, keys, passwords.
[[nodiscard]] EVERWIRE_EXPORT QStringList secretsOf(const QVariantMap &named);

} // namespace Everwire::PeerText
