// SPDX-License-Identifier: MIT
#include "support/certificates.h"

#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QVersionNumber>

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

void write(const QString &path, const QByteArray &bytes)
{
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("%s cannot be written", qPrintable(path));
}

} // namespace

Certificates::Certificates()
{
    if (!m_folder.isValid())
        qFatal("no folder for certificates: %s", qPrintable(m_folder.errorString()));
}

bool Certificates::canBeMade()
{
    return !QStandardPaths::findExecutable(s("openssl")).isEmpty();
}

QByteArray Certificates::openssl(const QStringList &arguments) const
{
    QProcess program;
    program.setWorkingDirectory(m_folder.path());
    program.start(s("openssl"), arguments);
    if (!program.waitForFinished(60'000) || program.exitCode() != 0)
        qFatal("openssl %s: %s", qPrintable(arguments.join(QLatin1Char(' '))),
               program.readAllStandardError().constData());
    return program.readAllStandardOutput();
}

// The options for a certificate that has expired. OpenSSL 3.4 and newer take dates; 3.5 takes no negative number of days,
// which with an older one ends the certificate before it begins.
QStringList Certificates::expired() const
{
    const QByteArray version = openssl({s("version")}).simplified().split(' ').value(1);
    if (QVersionNumber::fromString(QLatin1String(version)) >= QVersionNumber(3, 4))
        return {s("-not_before"), s("20200101000000Z"), s("-not_after"), s("20200102000000Z")};
    return {s("-days"), s("-1")};
}

void Certificates::make(const QString &name, const Wish &wish)
{
    openssl(QStringList{s("req"), s("-new"), s("-nodes"), s("-subj"), s("/CN=") + name, s("-keyout"),
                        name + s(".key"), s("-out"), name + s(".csr")} +
            wish.keyType);
    QByteArray extensions = wish.isCa ? "basicConstraints=critical,CA:TRUE\n" : "basicConstraints=CA:FALSE\n";
    extensions += "subjectKeyIdentifier=hash\n";
    if (!wish.names.isEmpty())
        extensions += "subjectAltName=" + wish.names.toLatin1() + '\n';
    write(path(name + s(".ext")), extensions);
    QStringList arguments{s("x509"), s("-req"),        s("-in"),      name + s(".csr"),
                          s("-out"), name + s(".crt"), s("-extfile"), name + s(".ext")};
    arguments += wish.isExpired ? expired() : QStringList{s("-days"), s("30")};
    if (wish.issuer.isEmpty())
        arguments << s("-signkey") << name + s(".key");
    else
        arguments << s("-CA") << wish.issuer + s(".crt") << s("-CAkey") << wish.issuer + s(".key")
                  << s("-set_serial") << QString::number(qHash(name) & 0x7fffffff);
    openssl(arguments);
}

void Certificates::makeCa(const QString &name, const QString &issuer)
{
    Wish wish;
    wish.issuer = issuer;
    wish.names.clear();
    wish.isCa = true;
    make(name, wish);
}

QByteArray Certificates::pem(const QString &file) const
{
    QFile opened(path(file));
    if (!opened.open(QIODevice::ReadOnly))
        qFatal("%s cannot be read", qPrintable(file));
    return opened.readAll();
}

QSslCertificate Certificates::certificate(const QString &name) const
{
    return QSslCertificate(pem(name + s(".crt")));
}

QSslKey Certificates::key(const QString &name) const
{
    const QByteArray bytes = pem(name + s(".key"));
    const QSslKey ec(bytes, QSsl::Ec);
    return ec.isNull() ? QSslKey(bytes, QSsl::Rsa) : ec;
}

QString Certificates::pin(const QString &name) const
{
    openssl({s("x509"), s("-in"), name + s(".crt"), s("-pubkey"), s("-noout"), s("-out"), name + s(".pub")});
    openssl({s("pkey"), s("-pubin"), s("-in"), name + s(".pub"), s("-outform"), s("der"), s("-out"),
             name + s(".spki")});
    const QByteArray hash = openssl({s("dgst"), s("-sha256"), s("-binary"), name + s(".spki")});
    return s("sha256/") + QString::fromLatin1(hash.toBase64());
}

QSslConfiguration Certificates::server(const QStringList &chain) const
{
    QList<QSslCertificate> certificates;
    for (const QString &name : chain)
        certificates.append(certificate(name));
    QSslConfiguration made = QSslConfiguration::defaultConfiguration();
    made.setLocalCertificateChain(certificates);
    made.setPrivateKey(key(chain.first()));
    return made;
}

QString Certificates::bundle(const QString &file, const QStringList &names) const
{
    QByteArray all;
    for (const QString &name : names)
        all += pem(name + s(".crt"));
    write(path(file), all);
    return path(file);
}
