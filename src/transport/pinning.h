// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QtNetwork/qtnetworkglobal.h>

#if QT_CONFIG(ssl)

#include <QList>
#include <QSslCertificate>
#include <QStringList>

#include <functional>

// Public keys that a server's certificate chain must hold (the option pinnedPublicKeys).
namespace Everwire::Pinning {

// "sha256/" and the base64 of the SHA-256 of the certificate's SubjectPublicKeyInfo (RFC 7469 §2.4); empty where that
// is not found.
[[nodiscard]] EVERWIRE_EXPORT QString pinOf(const QSslCertificate &certificate);

// Empty where the first certificate of the chain, or one that signed it directly or not, has a pinned key; otherwise a
// sentence with the pins that were offered. Authorities are what is trusted and may be missing in the chain; they are
// asked for only if needed.
[[nodiscard]] EVERWIRE_EXPORT QString problem(const QList<QSslCertificate> &chain, const QStringList &pins,
                                              const std::function<QList<QSslCertificate>()> &authorities);

} // namespace Everwire::Pinning

#endif
