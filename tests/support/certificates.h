// SPDX-License-Identifier: MIT
#pragma once

#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>

// Certificates that a test makes as it needs them, by the openssl program, in a folder that goes with it. Each has a name,
// under which it signs others; <folder>/<name>.crt and .key hold it.
class Certificates
{
public:
    struct Wish
    {
        QString issuer;                                                      // empty: it signs itself
        QString names = QStringLiteral("DNS:localhost,IP:127.0.0.1,IP:::1"); // empty: none, as a CA has
        bool isCa = false;
        bool isExpired = false;
        QStringList keyType{QStringLiteral("-newkey"), QStringLiteral("ec"), QStringLiteral("-pkeyopt"),
                            QStringLiteral("ec_paramgen_curve:P-256")};
    };

    Certificates();

    // False where there is no openssl program.
    [[nodiscard]] static bool canBeMade();

    void make(const QString &name, const Wish &wish);
    void makeCa(const QString &name, const QString &issuer = {});
    // What openssl says with these arguments, in the folder; it must succeed.
    QByteArray openssl(const QStringList &arguments) const;
    QStringList expired() const;

    [[nodiscard]] QString path(const QString &file) const { return m_folder.filePath(file); }
    [[nodiscard]] QByteArray pem(const QString &file) const;
    [[nodiscard]] QSslCertificate certificate(const QString &name) const;
    [[nodiscard]] QSslKey key(const QString &name) const;
    // "sha256/…" as openssl computes it.
    [[nodiscard]] QString pin(const QString &name) const;
    // For a server that shows these, its own first.
    [[nodiscard]] QSslConfiguration server(const QStringList &chain) const;
    // A file that holds these certificates.
    QString bundle(const QString &file, const QStringList &names) const;

private:
    QTemporaryDir m_folder;
};
