// SPDX-License-Identifier: MIT
#pragma once

#include "transport/transport.h"

#include <QtNetwork/qtnetworkglobal.h>

#if QT_CONFIG(ssl)

#include <QList>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslError>

// TLS as the options want it, for whichever socket class (rule A8).
namespace Everwire::Tls {

// For a client: TLS 1.2 at least, and the server is verified. Reads the files; where one cannot be used, *problem* gets a
// sentence that names the option.
[[nodiscard]] EVERWIRE_EXPORT QSslConfiguration configuration(const TlsOptions &options, QString *problem);
// What is trusted beside what the server sends: the options' certificates, and the system's.
[[nodiscard]] QList<QSslCertificate> authorities(const QSslConfiguration &configuration);

// Whether the options name every one of these errors. The log says so each time.
[[nodiscard]] bool areIgnored(const QList<QSslError> &errors, const TlsOptions &options,
                              const QString &where);
// The server is not trusted: why, by the names that ignoreTlsErrors takes, and what to do.
// The names in its certificate come from the server: *secrets* are masked in them.
[[nodiscard]] EVERWIRE_EXPORT TransportEnd untrusted(const QString &where, const QList<QSslError> &errors,
                                                     const TlsOptions &options,
                                                     const QStringList &secrets = {});
// None of its keys is pinned.
[[nodiscard]] TransportEnd notPinned(const QString &where, const QString &why, const QStringList &secrets);
// Whether this, of a socket's errorString(), is the peer's refusal (RFC 8446 §6). OpenSSL's words: with another library,
// an alert that comes after the handshake looks as any other end of the connection.
[[nodiscard]] bool isAlert(const QString &why);
// The handshake broke off, or the server did once it was over: what TLS itself says about it.
[[nodiscard]] EVERWIRE_EXPORT TransportEnd failed(const QString &where, const QString &why,
                                                  const TlsOptions &options, const QStringList &secrets = {});
// The TLS library took an option for nonsense, as it does with a key of another certificate.
[[nodiscard]] TransportEnd unusable(const QString &why, const TlsOptions &options);

} // namespace Everwire::Tls

#endif
