// SPDX-License-Identifier: MIT
//
// ConnectionConfig by name: reading and writing maps, merging, and the checks of rule C3.
#include "core/connectionconfig_p.h"
#include "core/httpheader.h"
#include "core/peertext.h"
#include "core/scalartext.h"
#include "core/urltemplate.h"

#include <QMetaEnum>
#include <QRegularExpression>
#include <QtNetwork/qtnetworkglobal.h>

#if QT_CONFIG(ssl)
#include <QSslError>
#endif

#include <cmath>
#include <limits>

namespace Everwire {

namespace {

using std::chrono::milliseconds;

// Calls visit(name, member) for every option, in the order of the header.
template<typename Visitor>
void forEachOption(Visitor &&visit)
{
    using D = ConnectionConfigData;
    visit("url", &D::url);
    visit("protocols", &D::protocols);
    visit("headers", &D::headers);
    visit("autoReconnect", &D::autoReconnect);
    visit("maxReconnectAttempts", &D::maxReconnectAttempts);
    visit("initialReconnectDelay", &D::initialReconnectDelay);
    visit("maxReconnectDelay", &D::maxReconnectDelay);
    visit("reconnectJitter", &D::reconnectJitter);
    visit("stableAfter", &D::stableAfter);
    visit("connectTimeout", &D::connectTimeout);
    visit("tokenTimeout", &D::tokenTimeout);
    visit("preparationTimeout", &D::preparationTimeout);
    visit("authTimeout", &D::authTimeout);
    visit("tokenRenewal", &D::tokenRenewal);
    visit("closeTimeout", &D::closeTimeout);
    visit("authentication", &D::authentication);
    visit("allowInsecureAuth", &D::allowInsecureAuth);
    visit("terminalCloseCodes", &D::terminalCloseCodes);
    visit("authFailureCloseCodes", &D::authFailureCloseCodes);
    visit("maxQueuedMessages", &D::maxQueuedMessages);
    visit("maxQueuedBytes", &D::maxQueuedBytes);
    visit("queueOverflow", &D::queueOverflow);
    visit("transport", &D::transport);
    visit("compression", &D::compression);
    visit("compressionThreshold", &D::compressionThreshold);
    visit("followRedirects", &D::followRedirects);
    visit("caCertificates", &D::caCertificates);
    visit("clientCertificate", &D::clientCertificate);
    visit("clientKey", &D::clientKey);
    visit("pinnedPublicKeys", &D::pinnedPublicKeys);
    visit("ignoreTlsErrors", &D::ignoreTlsErrors);
    visit("proxy", &D::proxy);
    visit("maxMessageSize", &D::maxMessageSize);
    visit("maxFrameSize", &D::maxFrameSize);
    visit("requestIdField", &D::requestIdField);
    visit("replyIdField", &D::replyIdField);
    visit("binarySupported", &D::binarySupported);
    visit("historyLimit", &D::historyLimit);
    visit("historyBytes", &D::historyBytes);
    visit("drainBudget", &D::drainBudget);
    visit("maxPendingBytes", &D::maxPendingBytes);
    visit("pendingOverflow", &D::pendingOverflow);
    visit("heartbeat", &D::heartbeat);
    visit("pingInterval", &D::pingInterval);
    visit("pongTimeout", &D::pongTimeout);
    visit("linger", &D::linger);
    visit("debug", &D::debug);
    visit("options", &D::options);
}

// ---- QVariant → value; an empty string means that it worked, else what was expected ----

// Neither "5" nor true is one.
bool isNumber(const QVariant &in)
{
    switch (in.typeId()) {
    case QMetaType::Int:
    case QMetaType::UInt:
    case QMetaType::LongLong:
    case QMetaType::ULongLong:
    case QMetaType::Long:
    case QMetaType::ULong:
    case QMetaType::Short:
    case QMetaType::UShort:
    case QMetaType::Double:
    case QMetaType::Float: return true;
    default: return false;
    }
}

QString readInteger(const QVariant &in, qint64 *out, qint64 max)
{
    const double number = in.toDouble();
    if (!isNumber(in) || std::trunc(number) != number || std::abs(number) > double(max))
        return QStringLiteral("a whole number");
    *out = in.toLongLong();
    return {};
}

QString read(const QVariant &in, bool *out)
{
    if (in.typeId() != QMetaType::Bool)
        return QStringLiteral("true or false");
    *out = in.toBool();
    return {};
}

QString read(const QVariant &in, qint64 *out)
{
    return readInteger(in, out, qint64(1) << 53); // what a JavaScript number holds exactly
}

QString read(const QVariant &in, int *out)
{
    qint64 number = 0;
    const QString expected = readInteger(in, &number, std::numeric_limits<int>::max());
    *out = int(number);
    return expected;
}

QString read(const QVariant &in, milliseconds *out)
{
    int number = 0;
    const QString expected = read(in, &number);
    *out = milliseconds(number);
    return expected.isEmpty() ? expected : QStringLiteral("a whole number of milliseconds");
}

QString read(const QVariant &in, double *out)
{
    *out = in.toDouble();
    return isNumber(in) ? QString() : QStringLiteral("a number");
}

QString read(const QVariant &in, QString *out)
{
    if (in.typeId() == QMetaType::QUrl)
        *out = in.toUrl().toString(QUrl::FullyEncoded);
    else if (in.typeId() == QMetaType::QString)
        *out = in.toString();
    else
        return QStringLiteral("a string");
    return {};
}

QString read(const QVariant &in, QStringList *out)
{
    const QVariantList list = in.toList();
    for (const QVariant &item : list) {
        if (item.typeId() != QMetaType::QString)
            return QStringLiteral("a list of strings");
        out->append(item.toString());
    }
    return in.canConvert<QVariantList>() ? QString() : QStringLiteral("a list of strings");
}

QString read(const QVariant &in, QList<int> *out)
{
    if (!in.canConvert<QVariantList>() || in.typeId() == QMetaType::QString)
        return QStringLiteral("a list of whole numbers");
    const QVariantList list = in.toList();
    for (const QVariant &item : list) {
        int number = 0;
        if (!read(item, &number).isEmpty())
            return QStringLiteral("a list of whole numbers");
        out->append(number);
    }
    return {};
}

QString read(const QVariant &in, QVariantMap *out)
{
    if (in.typeId() != QMetaType::QVariantMap && in.typeId() != QMetaType::QVariantHash)
        return QStringLiteral("an object");
    *out = in.toMap();
    return {};
}

template<typename Enum>
std::enable_if_t<std::is_enum_v<Enum>, QString> read(const QVariant &in, Enum *out)
{
    const QMetaEnum meta = QMetaEnum::fromType<Enum>();
    QStringList names;
    for (int i = 0; i < meta.keyCount(); ++i) {
        const QString name = QString::fromLatin1(meta.key(i));
        const auto value = static_cast<Enum>(meta.value(i));
        names.append(name);
        const bool byName =
            in.typeId() == QMetaType::QString && in.toString().compare(name, Qt::CaseInsensitive) == 0;
        const bool byValue = (isNumber(in) && in.toDouble() == meta.value(i)) ||
                             (in.metaType() == QMetaType::fromType<Enum>() && in.value<Enum>() == value);
        if (byName || byValue) {
            *out = value;
            return {};
        }
    }
    return QStringLiteral("one of ") + names.join(QStringLiteral(", "));
}

// What was given instead: the number, or what else it is.
QString described(const QVariant &in)
{
    if (isNumber(in))
        return in.toString();
    return QLatin1String(in.typeName() ? in.typeName() : "undefined");
}

// A name that the app gave, made safe to show.
QString shownName(const QString &name)
{
    return PeerText::shown(name, {}, PeerText::LongestName);
}

// ---- value → QVariant ----

// Setters accept any duration. problems() rejects those that a timer cannot hold.
constexpr bool isInt(qint64 number)
{
    return number >= std::numeric_limits<int>::min() && number <= std::numeric_limits<int>::max();
}

template<typename T>
QVariant write(const T &value)
{
    if constexpr (std::is_enum_v<T>)
        return QVariant::fromValue(value).toString(); // the key
    else if constexpr (std::is_same_v<T, milliseconds>)
        return isInt(value.count()) ? QVariant(int(value.count())) : QVariant(qlonglong(value.count()));
    else if constexpr (std::is_same_v<T, QList<int>>) {
        QVariantList list;
        for (const int number : value)
            list.append(number);
        return list;
    } else
        return QVariant::fromValue(value);
}

// ---- checks ----

QString urlProblem(const QUrl &url)
{
    const QString scheme = url.scheme().toLower();
    if (!url.isValid())
        return QStringLiteral("it is not a URL (%1)")
            .arg(
                url.errorString().section(QLatin1Char(';'), 0, 0)); // behind it stands the URL, query and all
    if (scheme != QLatin1String("ws") && scheme != QLatin1String("wss"))
        return scheme.isEmpty() ? QStringLiteral("it has no scheme; write ws:// or wss:// before it")
                                : QStringLiteral("its scheme is %1, not ws or wss").arg(scheme);
    if (url.host().isEmpty())
        return QStringLiteral("it names no host");
    if (url.hasFragment())
        return QStringLiteral("it has a fragment (#…), which a WebSocket URL must not (RFC 6455 §3)");
    return {};
}

QString headerProblem(const QString &name, const QVariant &value)
{
    static const QStringList ours{QStringLiteral("host"), QStringLiteral("upgrade"),
                                  QStringLiteral("connection"), QStringLiteral("content-length"),
                                  QStringLiteral("transfer-encoding")};
    if (name.startsWith(QLatin1String("sec-websocket-"), Qt::CaseInsensitive) ||
        ours.contains(name.toLower()))
        return QStringLiteral("headers: %1 belongs to the handshake; leave it out%2")
            .arg(name, name.endsWith(QLatin1String("-protocol"), Qt::CaseInsensitive)
                           ? QStringLiteral(" and use protocols")
                           : QString());
    return HttpHeader::problem(name, value);
}

// "sha256/" and 32 bytes in base64.
bool isPin(const QString &text)
{
    static const QRegularExpression pin(QStringLiteral("\\Asha256/[A-Za-z0-9+/]{43}=\\z"));
    return pin.match(text).hasMatch();
}

bool isTlsError(const QString &name)
{
#if QT_CONFIG(ssl)
    bool known = false;
    const int value =
        QMetaEnum::fromType<QSslError::SslError>().keyToValue(name.toLatin1().constData(), &known);
    return known && value != QSslError::NoError;
#else
    return !name.isEmpty();
#endif
}

QString proxyProblem(const QString &text)
{
    if (text.isEmpty() || text == QLatin1String("none"))
        return {};
    const QUrl url(text);
    if (url.scheme() != QLatin1String("http") && url.scheme() != QLatin1String("socks5"))
        return QStringLiteral("it is neither \"none\" nor an http:// or socks5:// URL");
    if (!url.isValid() || url.host().isEmpty() || url.port() <= 0)
        return QStringLiteral("it needs a host and a port, as http://proxy.example.com:3128");
    return {};
}

class Checker
{
public:
    explicit Checker(const ConnectionConfigData &data) : d(data) {}

    QStringList run()
    {
        for (auto option : {&ConnectionConfigData::connectTimeout, &ConnectionConfigData::tokenTimeout,
                            &ConnectionConfigData::preparationTimeout, &ConnectionConfigData::authTimeout,
                            &ConnectionConfigData::closeTimeout, &ConnectionConfigData::pingInterval,
                            &ConnectionConfigData::pongTimeout, &ConnectionConfigData::drainBudget})
            atLeast(option, milliseconds(1));
        for (auto option :
             {&ConnectionConfigData::initialReconnectDelay, &ConnectionConfigData::maxReconnectDelay,
              &ConnectionConfigData::stableAfter, &ConnectionConfigData::linger})
            atLeast(option, milliseconds(0));
        atLeast(&ConnectionConfigData::maxReconnectAttempts, -1);
        atLeast(&ConnectionConfigData::maxQueuedMessages, 0);
        atLeast(&ConnectionConfigData::compressionThreshold, 0);
        atLeast(&ConnectionConfigData::historyLimit, 0);
        atLeast(&ConnectionConfigData::historyBytes, qint64(0));
        atLeast(&ConnectionConfigData::maxQueuedBytes, qint64(0));
        atLeast(&ConnectionConfigData::maxMessageSize, qint64(1));
        atLeast(&ConnectionConfigData::maxFrameSize, qint64(16));
        atLeast(&ConnectionConfigData::maxPendingBytes, qint64(1));
        if (d.reconnectJitter && !(*d.reconnectJitter >= 0 && *d.reconnectJitter <= 1))
            add("reconnectJitter", QStringLiteral("%1 is not between 0 and 1").arg(*d.reconnectJitter));
        checkNames();
        return m_problems;
    }

private:
    void add(const char *key, const QString &what)
    {
        m_problems.append(QLatin1String(key) + QStringLiteral(": ") + what);
    }

    template<typename T>
    void atLeast(std::optional<T> ConnectionConfigData::*member, T least)
    {
        if (!(d.*member))
            return;
        if (*(d.*member) < least)
            addFor(member, QStringLiteral("%1 is below %2")
                               .arg(write(*(d.*member)).toString(), write(least).toString()));
        if constexpr (std::is_same_v<T, milliseconds>) {
            constexpr auto most = std::numeric_limits<int>::max(); // Qt's timers and QML count in int
            if ((d.*member)->count() > most)
                addFor(member, QStringLiteral("%1 is above %2").arg((d.*member)->count()).arg(most));
        }
    }

    template<typename T>
    void addFor(std::optional<T> ConnectionConfigData::*member, const QString &what)
    {
        forEachOption([&](const char *key, auto candidate) {
            if constexpr (std::is_same_v<decltype(candidate), std::optional<T> ConnectionConfigData::*>) {
                if (candidate == member)
                    add(key, what);
            }
        });
    }

    void checkNames()
    {
        if (d.url && !d.url->isEmpty()) {
            QString filled = *d.url;
            filled.replace(UrlTemplate::part(), QStringLiteral("x"));
            if (const QString problem = urlProblem(QUrl(filled)); !problem.isEmpty())
                add("url", problem);
        }
        QStringList protocols = d.protocols.value_or(QStringList());
        for (const QString &protocol : std::as_const(protocols)) {
            if (!HttpHeader::isToken(protocol))
                add("protocols", QStringLiteral("\"%1\" is not a subprotocol name (RFC 6455 §4.1)")
                                     .arg(shownName(protocol)));
        }
        if (protocols.removeDuplicates() > 0)
            add("protocols", QStringLiteral("a name occurs twice (RFC 6455 §4.1). Leave out the second one"));
        for (const QString &pin : d.pinnedPublicKeys.value_or(QStringList())) {
            if (!isPin(pin))
                add("pinnedPublicKeys", QStringLiteral("\"%1\" is not \"sha256/\" and the base64 of 32 bytes")
                                            .arg(shownName(pin)));
        }
        for (const QString &name : d.ignoreTlsErrors.value_or(QStringList())) {
            if (!isTlsError(name))
                add("ignoreTlsErrors",
                    QStringLiteral("\"%1\" is no name of QSslError::SslError; SelfSignedCertificate is one")
                        .arg(shownName(name)));
        }
        if (const QString problem = proxyProblem(d.proxy.value_or(QString())); !problem.isEmpty())
            add("proxy", problem);
        for (auto field : {&ConnectionConfigData::requestIdField, &ConnectionConfigData::replyIdField}) {
            if (d.*field && (d.*field)->isEmpty())
                addFor(field, QStringLiteral("it is empty"));
            else if (d.*field == QLatin1String("type"))
                addFor(field, QStringLiteral("\"type\" is the member that routes messages. Use another"));
        }
        const QVariantMap headers = d.headers.value_or(QVariantMap());
        for (auto it = headers.begin(); it != headers.end(); ++it) {
            if (const QString problem = headerProblem(it.key(), it.value()); !problem.isEmpty())
                m_problems.append(problem);
        }
        for (auto field :
             {&ConnectionConfigData::terminalCloseCodes, &ConnectionConfigData::authFailureCloseCodes}) {
            for (const int code : (d.*field).value_or(QList<int>())) {
                if (code < 1000 || code > 4999)
                    addFor(field, QStringLiteral("%1 is not between 1000 and 4999").arg(code));
            }
        }
    }

    const ConnectionConfigData &d;
    QStringList m_problems;
};

} // namespace

ConnectionConfig ConnectionConfig::fromVariantMap(const QVariantMap &map, QStringList *problems)
{
    ConnectionConfig config;
    QVariantMap rest = map;
    if (rest.contains(QStringLiteral("reconnect")) && !rest.contains(QStringLiteral("autoReconnect")))
        rest.insert(QStringLiteral("autoReconnect"),
                    rest.take(QStringLiteral("reconnect"))); // the guide's name
    QStringList known;
    forEachOption([&](const char *key, auto member) {
        const QString name = QLatin1String(key);
        known.append(name);
        if (!rest.contains(name))
            return;
        const QVariant in = rest.take(name);
        using Value = typename std::decay_t<decltype((*config.d).*member)>::value_type;
        Value value{};
        const QString expected = read(in, &value);
        if (!expected.isEmpty()) {
            problems->append(QStringLiteral("%1: expected %2, not %3").arg(name, expected, described(in)));
            return;
        }
        ConnectionConfig single;
        (*single.d).*member = value;
        const QStringList wrong = single.problems();
        if (wrong.isEmpty())
            (*config.d).*member = std::move(value);
        *problems += wrong;
    });
    for (auto it = rest.constBegin(); it != rest.constEnd(); ++it)
        problems->append(QStringLiteral("%1: no such option; the options are %2")
                             .arg(shownName(it.key()), known.join(QStringLiteral(", "))));
    return config;
}

QVariantMap ConnectionConfig::toVariantMap() const
{
    QVariantMap map;
    forEachOption([&](const char *key, auto member) {
        if (const auto &value = (*d).*member)
            map.insert(QLatin1String(key), write(*value));
    });
    return map;
}

ConnectionConfig ConnectionConfig::mergedWith(const ConnectionConfig &over) const
{
    const ConnectionConfig unset;
    if (over.d == unset.d)
        return *this;
    if (d == unset.d)
        return over;
    ConnectionConfig merged = *this;
    forEachOption([&](const char *, auto member) {
        if (const auto &value = (*over.d).*member)
            (*merged.d).*member = value;
    });
    return merged;
}

QStringList ConnectionConfig::problems() const
{
    return Checker(*d).run();
}

QUrl ConnectionConfig::resolvedUrl(QString *problem) const
{
    const QString filled = UrlTemplate::fill(this->url(), options(), problem);
    if (!problem->isEmpty())
        return {};
    const QUrl url(filled);
    *problem = urlProblem(url);
    return problem->isEmpty() ? url : QUrl();
}

} // namespace Everwire
