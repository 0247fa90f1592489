// SPDX-License-Identifier: MIT
#include "transport/pinning.h"

#if QT_CONFIG(ssl)

#include "core/peertext.h"

#include <QCryptographicHash>
#include <QLibrary>
#include <QSslSocket>

#include <memory>
#include <optional>

namespace Everwire::Pinning {

namespace {

// One element of DER (X.690 §8.1): its tag, all its bytes and those of its contents.
struct Element
{
    uchar tag = 0;
    QByteArrayView whole;
    QByteArrayView contents;
};

// Takes the first element off the front.
std::optional<Element> takeElement(QByteArrayView *der)
{
    const auto at = [der](qsizetype i) { return uchar((*der)[i]); };
    if (der->size() < 2)
        return {};
    qsizetype head = 2;
    qsizetype size = at(1);
    if (size >= 0x80) {
        const qsizetype digits = size & 0x7f;
        if (digits < 1 || digits > 4 || der->size() < 2 + digits)
            return {};
        for (size = 0; head < 2 + digits; ++head)
            size = size << 8 | at(head);
    }
    if (size > der->size() - head)
        return {};
    const Element element{at(0), der->first(head + size), der->sliced(head, size)};
    *der = der->sliced(head + size);
    return element;
}

// QSslKey::toDer() is empty for keys that Qt does not know, Ed25519 among them, so it is taken from where it stands:
// tbsCertificate's version (a [0], optional), serialNumber, signature, issuer, validity, subject, and then this one.
QByteArrayView publicKeyInfo(QByteArrayView certificate)
{
    constexpr uchar version = 0xa0;
    constexpr int elementsBefore = 5;
    const std::optional<Element> outer = takeElement(&certificate);
    QByteArrayView rest = outer ? outer->contents : QByteArrayView();
    const std::optional<Element> inner = takeElement(&rest);
    rest = inner ? inner->contents : QByteArrayView();
    std::optional<Element> element = takeElement(&rest);
    if (element && element->tag == version)
        element = takeElement(&rest);
    for (int i = 0; element && i < elementsBefore; ++i)
        element = takeElement(&rest);
    return element ? element->whole : QByteArrayView();
}

// A server may send along any certificate that it found somewhere, so a pinned one counts only where its key signed what
// it is to vouch for. Qt has no function for that; the OpenSSL that Qt uses has.
class Signatures
{
public:
    Signatures()
    {
        const int version = int(QSslSocket::sslLibraryVersionNumber() >> 28);
        if (QSslSocket::activeBackend() != QLatin1String("openssl") || version < 1)
            return;
        QLibrary library(QStringLiteral("crypto"),
                         version == 1 ? QStringLiteral("1.1") : QString::number(version));
        read = reinterpret_cast<Read>(library.resolve("d2i_X509"));
        forget = reinterpret_cast<Forget>(library.resolve("X509_free"));
        keyOf = reinterpret_cast<KeyOf>(library.resolve("X509_get0_pubkey"));
        verify = reinterpret_cast<Verify>(library.resolve("X509_verify"));
    }

    [[nodiscard]] bool canBeChecked() const { return read && forget && keyOf && verify; }

    [[nodiscard]] bool isSignedBy(const QSslCertificate &certificate, const QSslCertificate &issuer) const
    {
        const Handle signedOne = open(certificate);
        const Handle signer = open(issuer);
        void *key = signedOne && signer ? keyOf(signer.get()) : nullptr;
        return key && verify(signedOne.get(), key) == 1;
    }

private:
    using Read = void *(*)(void **, const uchar **, long);
    using Forget = void (*)(void *);
    using KeyOf = void *(*)(const void *);
    using Verify = int (*)(void *, void *);
    using Handle = std::unique_ptr<void, Forget>;

    // Not QSslCertificate::handle(): Qt may have an OpenSSL of its own inside.
    [[nodiscard]] Handle open(const QSslCertificate &certificate) const
    {
        const QByteArray der = certificate.toDer();
        auto at = reinterpret_cast<const uchar *>(der.constData());
        return {read(nullptr, &at, long(der.size())), forget};
    }

    Read read = nullptr;
    Forget forget = nullptr;
    KeyOf keyOf = nullptr;
    Verify verify = nullptr;
};

const Signatures &signatures()
{
    static const Signatures theOne;
    return theOne;
}

bool isIssuedBy(const QSslCertificate &certificate, const QSslCertificate &issuer)
{
    using Kind = QSslCertificate::SubjectInfo;
    for (const Kind kind : {Kind::CommonName, Kind::Organization, Kind::OrganizationalUnitName}) {
        if (certificate.issuerInfo(kind) != issuer.subjectInfo(kind))
            return false;
    }
    return signatures().isSignedBy(certificate, issuer);
}

// Whether a pinned certificate of the pool has signed the first, or one that has signed it, and so on.
bool isVouchedFor(const QSslCertificate &first, QList<QSslCertificate> pool, const QStringList &pins)
{
    QList<QSslCertificate> found{first};
    for (qsizetype i = 0; i < found.size(); ++i) {
        for (qsizetype j = pool.size() - 1; j >= 0; --j) {
            if (!isIssuedBy(found.at(i), pool.at(j)))
                continue;
            if (pins.contains(pinOf(pool.at(j))))
                return true;
            found.append(pool.takeAt(j));
        }
    }
    return false;
}

QString offered(const QList<QSslCertificate> &chain)
{
    QStringList pins;
    for (const QSslCertificate &certificate : chain)
        pins.append(QStringLiteral("%1 (%2)").arg(
            pinOf(certificate),
            PeerText::shown(certificate.subjectInfo(QSslCertificate::CommonName).join(QLatin1Char(' ')), {},
                            PeerText::LongestName)));
    return pins.join(QStringLiteral(", "));
}

} // namespace

QString pinOf(const QSslCertificate &certificate)
{
    const QByteArray der = certificate.toDer();
    const QByteArrayView info = publicKeyInfo(der);
    if (info.isEmpty())
        return {};
    const QByteArray hash = QCryptographicHash::hash(info.toByteArray(), QCryptographicHash::Sha256);
    return QLatin1String("sha256/") + QLatin1String(hash.toBase64());
}

QString problem(const QList<QSslCertificate> &chain, const QStringList &pins,
                const std::function<QList<QSslCertificate>()> &authorities)
{
    if (chain.isEmpty())
        return QStringLiteral("it showed no certificate");
    if (pins.contains(pinOf(chain.first())))
        return {};
    if (!signatures().canBeChecked())
        return QStringLiteral("the public key of its certificate is not among pinnedPublicKeys, and those of "
                              "its CAs are "
                              "not looked at, for that takes a Qt with OpenSSL. It offered %1")
            .arg(offered(chain.first(1)));
    const QList<QSslCertificate> sent = chain.mid(1);
    if (isVouchedFor(chain.first(), sent, pins) || isVouchedFor(chain.first(), sent + authorities(), pins))
        return {};
    return QStringLiteral(
               "none of the public keys that vouch for it is among pinnedPublicKeys. It offered %1")
        .arg(offered(chain));
}

} // namespace Everwire::Pinning

#endif
