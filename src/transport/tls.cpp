// SPDX-License-Identifier: MIT
#include "transport/tls.h"

#if QT_CONFIG(ssl)

#include "core/filepath.h"
#include "core/logging.h"
#include "core/peertext.h"
#include "transport/transporterrors.h"

#include <QFile>
#include <QMetaEnum>
#include <QSet>
#include <QSslKey>

namespace Everwire::Tls {

namespace {

// No chain and no bundle of a whole system is as large.
constexpr qint64 MostPem = 8 * 1024 * 1024;

bool isPem(const QString &value)
{
    return value.contains(QLatin1String("-----BEGIN "));
}

// The PEM text that an option gives or names, and how to call it in a message.
struct Pem
{
    QByteArray bytes;
    QString name;
};

Pem read(const char *option, const QString &value, QString *problem)
{
    if (isPem(value))
        return {value.toUtf8(), QStringLiteral("%1: the PEM text").arg(QLatin1String(option))};
    QFile file(toFilePath(value));
    const QString name = QStringLiteral("%1: %2").arg(QLatin1String(option), file.fileName());
    if (!file.open(QIODevice::ReadOnly))
        *problem =
            QStringLiteral("%1 cannot be read: %2. Give the path of a PEM file, or the PEM text itself")
                .arg(name, file.errorString());
    return {file.isOpen() ? file.read(MostPem) : QByteArray(), name};
}

QList<QSslCertificate> certificates(const char *option, const QString &value, QString *problem)
{
    const Pem pem = read(option, value, problem);
    if (!problem->isEmpty())
        return {};
    const QList<QSslCertificate> list = QSslCertificate::fromData(pem.bytes, QSsl::Pem);
    const qsizetype begun = pem.bytes.count("-----BEGIN CERTIFICATE-----");
    if (begun == 0)
        *problem =
            QStringLiteral("%1 holds no certificate in PEM form (-----BEGIN CERTIFICATE-----). openssl x509 "
                           "-inform der makes one of a DER file")
                .arg(pem.name);
    else if (list.size() < begun)
        *problem =
            QStringLiteral("%1 holds a certificate that cannot be read, number %2 of %3. Export it again")
                .arg(pem.name)
                .arg(list.size() + 1)
                .arg(begun);
    return list;
}

QSslKey privateKey(const QString &value, QString *problem)
{
    const Pem pem = read("clientKey", value, problem);
    if (!problem->isEmpty())
        return {};
    for (const QSsl::KeyAlgorithm algorithm : {QSsl::Rsa, QSsl::Ec}) {
        const QSslKey key(pem.bytes, algorithm, QSsl::Pem, QSsl::PrivateKey);
        if (!key.isNull())
            return key;
    }
    if (pem.bytes.contains("ENCRYPTED"))
        *problem = QStringLiteral(
                       "%1 is encrypted, and there is no password for it. Decrypt it with openssl pkey, and "
                       "protect the file")
                       .arg(pem.name);
    else
        *problem =
            QStringLiteral("%1 holds no private key that can be used. It takes an RSA or EC key in PEM form")
                .arg(pem.name);
    return {};
}

// Reading them takes a fraction of a second, and they are kept twice where the system keeps them under two names.
const QList<QSslCertificate> &systemCertificates()
{
    static const QList<QSslCertificate> all = [] {
        const QList<QSslCertificate> list = QSslConfiguration::systemCaCertificates();
        return QSet<QSslCertificate>(list.begin(), list.end()).values();
    }();
    return all;
}

// A configuration that is told of one authority forgets the system's, which Qt reads on demand otherwise.
void addAuthorities(QSslConfiguration *configuration, const QStringList &option, QString *problem)
{
    QList<QSslCertificate> list = authorities(*configuration);
    for (const QString &value : option) {
        list += certificates("caCertificates", value, problem);
        if (!problem->isEmpty())
            return;
    }
    configuration->setCaCertificates(list);
}

void addClient(QSslConfiguration *configuration, const TlsOptions &options, QString *problem)
{
    if (options.clientKey.isEmpty())
        *problem = QStringLiteral("clientCertificate: it needs its private key. Set clientKey, too");
    else if (options.clientCertificate.isEmpty())
        *problem =
            QStringLiteral("clientKey: it is of no use without its certificate. Set clientCertificate, too");
    if (!problem->isEmpty())
        return;
    configuration->setLocalCertificateChain(
        certificates("clientCertificate", options.clientCertificate, problem));
    if (problem->isEmpty())
        configuration->setPrivateKey(privateKey(options.clientKey, problem));
}

// An application may have asked for more than TLS 1.2, and for less.
void raiseFloor(QSslConfiguration *configuration)
{
    switch (configuration->protocol()) {
    case QSsl::TlsV1_2:
    case QSsl::TlsV1_2OrLater:
    case QSsl::TlsV1_3:
    case QSsl::TlsV1_3OrLater: break;
    default: configuration->setProtocol(QSsl::TlsV1_2OrLater);
    }
}

QString nameOf(const QSslError &error)
{
    return QString::fromLatin1(QMetaEnum::fromType<QSslError::SslError>().valueToKey(int(error.error())));
}

QString namesIn(const QSslCertificate &certificate)
{
    QStringList names = certificate.subjectAlternativeNames().values();
    if (names.isEmpty())
        names = certificate.subjectInfo(QSslCertificate::CommonName);
    return names.isEmpty() ? QStringLiteral("none") : names.join(QStringLiteral(", "));
}

QString adviceFor(const QSslError &error, const QStringList &secrets)
{
    switch (error.error()) {
    case QSslError::SelfSignedCertificate:
        return QStringLiteral("If it is the server's own, give that certificate by caCertificates");
    case QSslError::UnableToGetIssuerCertificate:
    case QSslError::UnableToGetLocalIssuerCertificate:
    case QSslError::UnableToVerifyFirstCertificate:
    case QSslError::SelfSignedCertificateInChain:
    case QSslError::CertificateUntrusted:
        return QStringLiteral("Have the server send its intermediate certificates, and give a private CA by "
                              "caCertificates");
    case QSslError::HostNameMismatch:
        return QStringLiteral("Connect to a name that the certificate is for (%1)")
            .arg(PeerText::shown(namesIn(error.certificate()), secrets));
    case QSslError::CertificateExpired:
        return QStringLiteral(
            "Renew the server's certificate; if it is valid, correct the date of this machine");
    case QSslError::CertificateNotYetValid: return QStringLiteral("Correct the date of this machine");
    default: return QStringLiteral("Check the server's certificate");
    }
}

} // namespace

QSslConfiguration configuration(const TlsOptions &options, QString *problem)
{
    QSslConfiguration made = QSslConfiguration::defaultConfiguration();
    raiseFloor(&made);
    made.setPeerVerifyMode(QSslSocket::VerifyPeer);
    if (!options.caCertificates.isEmpty())
        addAuthorities(&made, options.caCertificates, problem);
    if (problem->isEmpty() && (!options.clientCertificate.isEmpty() || !options.clientKey.isEmpty()))
        addClient(&made, options, problem);
    return made;
}

QList<QSslCertificate> authorities(const QSslConfiguration &configuration)
{
    const QList<QSslCertificate> own = configuration.caCertificates();
    return own.isEmpty() ? systemCertificates() : own;
}

bool areIgnored(const QList<QSslError> &errors, const TlsOptions &options, const QString &where)
{
    QStringList names;
    for (const QSslError &error : errors) {
        if (!options.ignoreTlsErrors.contains(nameOf(error)))
            return false;
        names.append(nameOf(error));
    }
    qCWarning(lcConnection).noquote()
        << where << "could not be verified, and that is ignored:" << names.join(QStringLiteral(", "))
        << "(ignoreTlsErrors)";
    return true;
}

TransportEnd untrusted(const QString &where, const QList<QSslError> &errors, const TlsOptions &options,
                       const QStringList &secrets)
{
    QStringList texts;
    QStringList advice;
    for (const QSslError &error : errors) {
        texts.append(QStringLiteral("%1 (%2)").arg(error.errorString(), nameOf(error)));
        advice.append(adviceFor(error, secrets));
    }
    if (!options.ignoreTlsErrors.isEmpty())
        advice.append(QStringLiteral("Note that ignoreTlsErrors names %1 only")
                          .arg(options.ignoreTlsErrors.join(QStringLiteral(", "))));
    texts.removeDuplicates();
    advice.removeDuplicates();
    return TransportErrors::tlsFailed(where, texts.join(QStringLiteral("; ")),
                                      advice.join(QStringLiteral(". ")), secrets);
}

TransportEnd notPinned(const QString &where, const QString &why, const QStringList &secrets)
{
    return TransportErrors::tlsFailed(
        where, why,
        QStringLiteral(
            "If the server has a new key that you have checked, pin that; otherwise somebody is between"),
        secrets);
}

bool isAlert(const QString &why)
{
    return why.contains(QLatin1String("SSL routines")) && why.contains(QLatin1String(" alert "));
}

TransportEnd failed(const QString &where, const QString &why, const TlsOptions &options,
                    const QStringList &secrets)
{
    const auto says = [&why](const char *what) {
        return why.contains(QLatin1String(what), Qt::CaseInsensitive);
    };
    // The alerts by which a server refuses a client (RFC 8446 §6.2), in OpenSSL's words.
    const bool isAboutUs = isAlert(why) && (says("certificate") || says("unknown ca") ||
                                            says("handshake failure") || says("access denied"));
    QString advice;
    if (says("wrong version number") || says("packet length"))
        advice = QStringLiteral("What listens there speaks no TLS; a ws:// URL or another port may be meant");
    else if (says("protocol"))
        advice = QStringLiteral("The server must speak TLS 1.2 or newer");
    else if (isAboutUs && options.clientCertificate.isEmpty())
        advice = QStringLiteral(
            "If the server wants a certificate of its clients, set clientCertificate and clientKey");
    else if (isAboutUs)
        advice = QStringLiteral(
            "Check that the server accepts the clientCertificate: its CA, its dates and its purpose");
    else
        advice = QStringLiteral("Check that a TLS server listens there, and what it logs");
    return TransportErrors::tlsFailed(where, why, advice, secrets);
}

TransportEnd unusable(const QString &why, const TlsOptions &options)
{
    const QString what =
        options.clientCertificate.isEmpty()
            ? QStringLiteral("The application's QSslConfiguration cannot be used: %1. Correct it")
            : QStringLiteral("clientKey: it cannot be used with the clientCertificate: %1. Give the key "
                             "that the certificate was made for");
    return TransportErrors::badOption(what.arg(why));
}

} // namespace Everwire::Tls

#endif
