// SPDX-License-Identifier: MIT
#include "transport/handshake.h"

#include "core/peertext.h"
#include "core/scalartext.h"
#include "transport/headervalue.h"

#include <QCryptographicHash>
#include <QDateTime>
#include <QLocale>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QTimeZone>

#include <algorithm>
#include <array>

namespace Everwire {

using HeaderValue::isToken;
using HeaderValue::listHas;

namespace {

constexpr qsizetype MaxHead = 16 * 1024;
constexpr qsizetype MaxBody = 1024;
constexpr int MaxInterim = 8;
constexpr QByteArrayView HttpName = "HTTP/";

bool isRedirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

QByteArray acceptFor(const QByteArray &key)
{
    // RFC 6455 §1.3.
    return QCryptographicHash::hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1)
        .toBase64();
}

// The offset behind the empty line that ends the headers; -1 where it has not come. Looks no further back than
// *from*.
qsizetype endOfHead(const QByteArray &head, qsizetype from)
{
    for (qsizetype at = head.indexOf('\n', from); at >= 0; at = head.indexOf('\n', at + 1)) {
        qsizetype next = at + 1;
        if (next < head.size() && head[next] == '\r')
            ++next;
        if (next < head.size() && head[next] == '\n')
            return next + 1;
    }
    return -1;
}

// Parses the three forms of RFC 9110 §5.6.7, without the day of the week, which is redundant. Date
// and time are parsed separately, because together they would be parsed as local time. In local
// time one hour each spring does not exist (Qt 6.8 takes the next hour instead).
QDateTime httpDate(const QByteArray &bytes)
{
    QStringList parts = QString::fromLatin1(bytes.simplified()).split(QLatin1Char(' ')).mid(1);
    if (!parts.isEmpty() && parts.last() == QLatin1String("GMT"))
        parts.removeLast();
    const qsizetype at = parts.indexOf(QRegularExpression(QStringLiteral("[0-9:]*:[0-9:]*")));
    if (at < 0)
        return {};
    const QTime time = QTime::fromString(parts.takeAt(at), QStringLiteral("HH:mm:ss"));
    const QString day = parts.join(QLatin1Char(' '));
    const auto read = [&](const char *form) { return QLocale::c().toDate(day, QString::fromLatin1(form)); };
    QDate date = read("dd MMM yyyy");
    if (!date.isValid())
        date = read("MMM d yyyy");
    if (!date.isValid())
        date = read("dd-MMM-yy").addYears(100); // for two-digit years, Qt assumes 1900 to 1999
    return time.isValid() ? QDateTime(date, time, QTimeZone::utc()) : QDateTime();
}

QString adviceFor(int status)
{
    switch (status) {
    case 400: return QStringLiteral("Check the headers and subprotocols of the configuration");
    case 401: return QStringLiteral("It wants credentials in the HTTP request; set them in headers");
    case 403:
        return QStringLiteral(
            "It does not let this client in; check the origin and the credentials in headers");
    case 404: return QStringLiteral("Check the URL's path");
    case 407: return QStringLiteral("The proxy wants credentials; set them in QNetworkProxy");
    case 426:
        return QStringLiteral(
            "It wants another protocol or another version of WebSocket; this is version 13");
    case 429: return QStringLiteral("It has had too many requests from here");
    case 503: return QStringLiteral("It is overloaded, or down for a while");
    default:
        return status >= 500 ? QStringLiteral("Something failed at the server")
                             : QStringLiteral("Check the URL");
    }
}

} // namespace

ClientHandshake::ClientHandshake(Request request) : m_request(std::move(request)) {}

QByteArray ClientHandshake::makeKey()
{
    std::array<quint32, 4> random{};
    QRandomGenerator::system()->fillRange(random.data(), qsizetype(random.size()));
    return QByteArray(reinterpret_cast<const char *>(random.data()), sizeof random).toBase64();
}

QByteArray ClientHandshake::request() const
{
    const QUrl &url = m_request.url;
    const bool isTls = url.scheme() == QLatin1String("wss");
    QByteArray target = url.path(QUrl::FullyEncoded).toLatin1();
    if (target.isEmpty())
        target = "/";
    if (url.hasQuery())
        target += '?' + url.query(QUrl::FullyEncoded).toLatin1();
    QByteArray host = url.host(QUrl::FullyEncoded).toLatin1();
    if (host.contains(':')) // IPv6; a zone means something here only (RFC 6874 §4)
        host = '[' + host.split('%').constFirst() + ']';
    const int usual = isTls ? 443 : 80;
    if (url.port(usual) != usual)
        host += ':' + QByteArray::number(url.port());

    QByteArray bytes =
        "GET " + target + " HTTP/1.1\r\nHost: " + host +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + m_request.key +
        "\r\nSec-WebSocket-Version: 13\r\n";
    if (!m_request.protocols.isEmpty())
        bytes +=
            "Sec-WebSocket-Protocol: " + m_request.protocols.join(QStringLiteral(", ")).toLatin1() + "\r\n";
    if (m_request.offerDeflate)
        bytes += "Sec-WebSocket-Extensions: " + deflateOffer() + "\r\n";
    for (auto it = m_request.headers.begin(); it != m_request.headers.end(); ++it)
        bytes += it.key().toLatin1() + ": " + scalarText(it.value()).value_or(QString()).toUtf8() + "\r\n";
    return bytes + "\r\n";
}

ClientHandshake::Outcome ClientHandshake::read(QByteArrayView *input)
{
    while (!m_readsBody) {
        const qsizetype before = m_head.size();
        const qsizetype size = std::min(input->size(), MaxHead - before);
        m_head.append(input->data(), size);
        // Whoever does not speak HTTP at all is found out before it has said 16 KiB.
        const qsizetype known = std::min(m_head.size(), HttpName.size());
        if (QByteArrayView(m_head).first(known) != HttpName.first(known))
            return invalid(
                QStringLiteral("it does not speak HTTP, but said: %1").arg(shown(m_head.left(80), 60)));
        const qsizetype end = endOfHead(m_head, std::max<qsizetype>(0, before - 2));
        if (end < 0) {
            *input = input->sliced(size);
            if (m_head.size() >= MaxHead)
                return invalid(QStringLiteral("its headers are longer than %1 KiB").arg(MaxHead / 1024));
            return Outcome::Unfinished;
        }
        *input = input->sliced(end - before);
        m_head.truncate(end);
        if (!parseHead())
            return Outcome::Invalid;
        m_head.clear();
        // 100 to 199 come before the answer (RFC 9110 §15.2).
        if (m_status != 101 && m_status < 200) {
            if (++m_interim > MaxInterim)
                return invalid(
                    QStringLiteral("it sends interim answers (%1) and no final one").arg(m_status));
            m_headers.clear();
            continue;
        }
        const Outcome outcome = judgeHead();
        if (outcome != Outcome::Unfinished)
            return outcome;
    }
    return readBody(input);
}

ClientHandshake::Outcome ClientHandshake::finish()
{
    if (m_readsBody) {
        m_problem = explanation();
        return Outcome::Refused;
    }
    return invalid(m_head.isEmpty() ? QStringLiteral("it ended the connection without an answer")
                                    : QStringLiteral("it ended the connection in the middle of its answer"));
}

// Text from the server, made safe to show.
QString ClientHandshake::shown(QByteArrayView bytes, qsizetype most) const
{
    return PeerText::shownLine(bytes, m_request.secrets, most);
}

ClientHandshake::Outcome ClientHandshake::invalid(const QString &problem)
{
    m_problem = problem;
    return Outcome::Invalid;
}

bool ClientHandshake::parseHead()
{
    QList<QByteArray> lines = m_head.split('\n');
    for (QByteArray &line : lines) {
        if (line.endsWith('\r'))
            line.chop(1);
    }
    lines.removeLast(); // behind the last line end
    lines.removeLast(); // the empty line
    if (!parseStatusLine(lines.takeFirst()))
        return false;
    return std::all_of(lines.cbegin(), lines.cend(),
                       [this](const QByteArray &line) { return parseHeader(line); });
}

bool ClientHandshake::parseStatusLine(QByteArrayView line)
{
    const auto isDigit = [&](qsizetype at) { return at < line.size() && line[at] >= '0' && line[at] <= '9'; };
    // "HTTP/1.1 101 Switching Protocols"; RFC 6455 §4.1 wants HTTP/1.1 or higher, and 2 has another handshake.
    const bool isStatusLine = line.startsWith("HTTP/1.") && isDigit(7) && line.size() >= 12 &&
                              line[8] == ' ' && isDigit(9) && line[9] != '0' && isDigit(10) && isDigit(11) &&
                              (line.size() == 12 || line[12] == ' ');
    if (!isStatusLine) {
        invalid(QStringLiteral("its answer begins with: %1").arg(shown(line, 60)));
        return false;
    }
    m_status = line.sliced(9, 3).toByteArray().toInt();
    m_reasonPhrase = line.size() > 13 ? line.sliced(13).toByteArray() : QByteArray();
    if (m_status == 101 && line[7] == '0') {
        invalid(QStringLiteral("it upgrades in HTTP/1.0"));
        return false;
    }
    return true;
}

bool ClientHandshake::parseHeader(QByteArrayView line)
{
    const qsizetype colon = line.indexOf(':');
    const QByteArrayView value = colon < 0 ? QByteArrayView() : line.sliced(colon + 1);
    const bool hasControl = std::any_of(value.begin(), value.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    });
    if (colon < 0 || !isToken(line.first(colon)) || hasControl) {
        invalid(QStringLiteral("a header that is none: %1").arg(shown(line, 60)));
        return false;
    }
    m_headers.append({line.first(colon).toByteArray().toLower(), value.toByteArray().trimmed()});
    return true;
}

QByteArray ClientHandshake::value(QByteArrayView name) const
{
    QByteArray joined;
    for (const Header &header : m_headers) {
        if (header.name == name)
            joined += (joined.isEmpty() ? "" : ", ") + header.value;
    }
    return joined;
}

int ClientHandshake::count(QByteArrayView name) const
{
    return int(std::count_if(m_headers.begin(), m_headers.end(),
                             [name](const Header &header) { return header.name == name; }));
}

// Unfinished: a refusal whose body may say more.
ClientHandshake::Outcome ClientHandshake::judgeHead()
{
    if (m_status == 101)
        return judgeUpgrade();
    readRetryAfter();
    if (isRedirect(m_status) && count("location") == 1 && !value("location").isEmpty() &&
        QUrl::fromEncoded(value("location")).isValid()) {
        m_location = m_request.url.resolved(QUrl::fromEncoded(value("location")));
        const QString target =
            m_location.toDisplayString(QUrl::RemoveUserInfo | QUrl::RemoveQuery | QUrl::RemoveFragment);
        m_problem = QStringLiteral("it redirects to %1 (%2)")
                        .arg(PeerText::shown(target, m_request.secrets, 300))
                        .arg(m_status);
        return Outcome::Redirected;
    }
    bool isNumber = false;
    const qint64 announced = value("content-length").toLongLong(&isNumber);
    m_bodySize = isNumber && announced >= 0 ? announced : -1;
    if (m_status == 204 || m_status == 304)
        m_bodySize = 0;
    m_readsBody = true;
    return Outcome::Unfinished;
}

ClientHandshake::Outcome ClientHandshake::judgeUpgrade()
{
    // Must be a single value, unlike the list in Connection (RFC 6455 §4.1 items 2 and 3).
    if (count("upgrade") != 1 || value("upgrade").compare("websocket", Qt::CaseInsensitive) != 0)
        return invalid(QStringLiteral("it does not upgrade to websocket (its Upgrade header says \"%1\")")
                           .arg(shown(value("upgrade"), 40)));
    if (!listHas(value("connection"), "upgrade"))
        return invalid(QStringLiteral("its Connection header does not say \"upgrade\""));
    if (count("sec-websocket-accept") != 1 || value("sec-websocket-accept") != acceptFor(m_request.key))
        return invalid(
            QStringLiteral("its Sec-WebSocket-Accept does not fit our key; a cache or a proxy that does "
                           "not know WebSocket may have answered"));
    if (count("sec-websocket-protocol") > 0) {
        m_protocol = value("sec-websocket-protocol");
        if (count("sec-websocket-protocol") > 1 ||
            !m_request.protocols.contains(QString::fromLatin1(m_protocol)))
            return invalid(QStringLiteral("it chose the subprotocol \"%1\", which nobody asked for")
                               .arg(shown(m_protocol, 40)));
    }
    const QByteArray extensions = value("sec-websocket-extensions");
    if (extensions.isEmpty())
        return Outcome::Accepted;
    if (!m_request.offerDeflate)
        return invalid(
            QStringLiteral("it chose an extension that nobody asked for: %1").arg(shown(extensions, 60)));
    QString problem;
    m_deflate = deflateFromAnswer(extensions, &problem, m_request.secrets);
    return m_deflate ? Outcome::Accepted : invalid(QStringLiteral("it chose ") + problem);
}

ClientHandshake::Outcome ClientHandshake::readBody(QByteArrayView *input)
{
    m_body.append(input->data(), std::min(input->size(), MaxBody - m_body.size()));
    *input = {};
    const bool isAllHere = m_bodySize >= 0 && m_body.size() >= m_bodySize;
    if (!isAllHere && m_body.size() < MaxBody)
        return Outcome::Unfinished;
    return finish();
}

QString ClientHandshake::explanation() const
{
    QString text = QString::number(m_status);
    const QString phrase = shown(m_reasonPhrase, 60);
    if (!phrase.isEmpty())
        text += QLatin1Char(' ') + phrase;
    QByteArray body = m_body;
    if (listHas(value("transfer-encoding"), "chunked"))
        body.remove(0, body.indexOf('\n') + 1); // the first chunk's size; what follows it is seldom longer
    // A page is for a browser; what a program writes is shown.
    const QString said = shown(body, 200);
    if (!said.isEmpty() && !said.startsWith(QLatin1Char('<')))
        text += QStringLiteral(" (it says: %1)").arg(said);
    return text + QStringLiteral(". ") + adviceFor(m_status);
}

// RFC 9110 §10.2.3: seconds, or a date.
void ClientHandshake::readRetryAfter()
{
    const auto header = std::find_if(m_headers.begin(), m_headers.end(),
                                     [](const Header &each) { return each.name == "retry-after"; });
    if (header == m_headers.end())
        return;
    const QByteArray &text = header->value;
    constexpr qint64 day = 24 * 60 * 60;
    bool isNumber = false;
    qint64 wait = text.toLongLong(&isNumber);
    if (!isNumber && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        wait = day; // more than 64 bits hold
    } else if (!isNumber) {
        const QDateTime until = httpDate(text);
        const QDateTime now = httpDate(value("date"));
        if (until.isValid())
            wait = (now.isValid() ? now : QDateTime::currentDateTimeUtc()).secsTo(until);
    }
    m_retryAfter = std::chrono::seconds(std::clamp<qint64>(wait, 0, day));
}

} // namespace Everwire
