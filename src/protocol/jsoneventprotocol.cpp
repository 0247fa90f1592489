// SPDX-License-Identifier: MIT
#include "protocol/jsoneventprotocol.h"

#include "core/exceptions.h"
#include "core/lenientjson.h"
#include "core/peertext.h"
#include "core/scalartext.h"
#include "core/typename.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QScopeGuard>

#include <simdjson.h>

#include <algorithm>
#include <array>

namespace Everwire {

// simdjson's DOM parser writes a flat tape into memory that it reuses, so a text costs no allocation. Its
// on-demand parser would find "type" sooner, but lets through what is not JSON behind it (rule M2).
struct JsonEventProtocol::Parser
{
    simdjson::dom::parser dom;
    std::shared_ptr<MessagePool> pool;
    std::shared_ptr<const Interest> interest;
    quint32 interestNumber = 0;
    // Events come in runs of a type, so what is known of the last one's is kept.
    QByteArray lastType;
    const QString *lastShared = nullptr;
    const Interest::InType *lastWanted = nullptr;
    bool runsForeignCode = false; // a decoder for that type runs code of the app

    // Of what was parsed last: the first one says where they end.
    [[nodiscard]] uint64_t words() const { return dom.doc.tape[0] & simdjson::internal::JSON_VALUE_MASK; }

    void look(const InterestBoard &board)
    {
        if (board.number() == interestNumber)
            return;
        interest = board.interest();
        interestNumber = board.number();
        findWanted();
    }
    void findWanted()
    {
        lastWanted = nullptr;
        runsForeignCode = false;
        if (!interest)
            return;
        const auto found = interest->types.constFind(lastType);
        if (found != interest->types.constEnd())
            lastWanted = &*found;
        for (const Interest::InType *wanted : {&interest->every, lastWanted})
            runsForeignCode = runsForeignCode || (wanted && wanted->runsForeignCode());
    }
    // Frees a large buffer, which one large message needed.
    void trim()
    {
        // Bytes of text. The parser occupies about 13 times as much.
        constexpr size_t kept = 256 * 1024;
        if (dom.capacity() > kept)
            dom = simdjson::dom::parser();
    }
    // If simdjson refused the text, the type may contain a lone surrogate, which UTF-8 cannot
    // encode.
    Message toMessageOf(PaddedView utf8, const QString &type, Decoded *former)
    {
        const QByteArray bytes = type.toUtf8();
        if (QString::fromUtf8(bytes) == type)
            return toMessage(utf8, bytes, former);
        lastType = {};
        lastShared = nullptr;
        findWanted();
        Message message = pool->text(utf8.bytes(), nullptr, former);
        message.d->ownType = type;
        return message;
    }
    Message toMessage(PaddedView utf8, QByteArrayView type, Decoded *former)
    {
        if (type != lastType) {
            lastType = type.toByteArray();
            lastShared = internType(type);
            findWanted();
        }
        Message message = pool->text(utf8.bytes(), lastShared, former);
        if (!lastShared)
            message.d->ownType = QString::fromUtf8(type);
        return message;
    }
    // By what is known of the type of the last message.
    [[nodiscard]] Audience audience() const
    {
        if (!interest || interest->every.isHeard)
            return Audience::Each;
        if (!lastWanted || !lastWanted->isHeard)
            return Audience::Nobody;
        return lastWanted->onlyNewest && lastShared ? Audience::Newest : Audience::Each;
    }
};

namespace {

// Depth is bounded by both parsers (1024), so hostile nesting is an error, not a deep recursion.
QString explain(simdjson::error_code code)
{
    switch (code) {
    case simdjson::EMPTY: return QStringLiteral("the text is empty");
    case simdjson::UTF8_ERROR: return QStringLiteral("the text is not UTF-8");
    case simdjson::DEPTH_ERROR: return QStringLiteral("it is nested deeper than 1024 levels");
    default: return QStringLiteral("it is not JSON: ") + QString::fromUtf8(simdjson::error_message(code));
    }
}

// simdjson refuses some texts that JSON.parse accepts: numbers beyond 64 bits and lone surrogates.
// Which error it returns for them depends on its version.
bool mayBeJson(simdjson::error_code error)
{
    return error != simdjson::EMPTY && error != simdjson::UTF8_ERROR && error != simdjson::DEPTH_ERROR &&
           error != simdjson::CAPACITY && error != simdjson::MEMALLOC;
}

// The first of these members that is a scalar with a non-empty text. Some servers send ids as
// numbers.
QString firstText(const QList<QJsonObject> &objects, std::initializer_list<const char *> keys)
{
    for (const QJsonObject &object : objects) {
        for (const char *key : keys) {
            const QString found = scalarText(object.value(QLatin1String(key))).value_or(QString());
            if (!found.isEmpty())
                return found;
        }
    }
    return {};
}

// Reads the session from the answer itself or from its payload, by the member names of the wire
// protocol or of the guide.
SessionInfo sessionIn(const QJsonObject &answer)
{
    const QList<QJsonObject> places{answer, answer.value(QLatin1String("payload")).toObject()};
    return {firstText(places, {"session_id", "sessionId"}), firstText(places, {"user_id", "userId"}),
            firstText(places, {"timestamp"})};
}

// Brackets that open one, those in strings included. In lots that a byte can count: so it is done 16 at a time.
qint64 containersIn(const QByteArray &utf8)
{
    static_assert(('[' | 0x20) == '{');
    qint64 all = 0;
    for (qsizetype at = 0; at < utf8.size();) {
        const qsizetype end = std::min<qsizetype>(at + 255, utf8.size());
        quint8 lot = 0;
        for (; at < end; ++at)
            lot = quint8(lot + ((utf8.constData()[at] | 0x20) == '{' ? 1 : 0));
        all += lot;
    }
    return all;
}

// What Qt's values of a text take at most, in bytes; measured, as allocators round up and containers grow ahead. words:
// simdjson's, one for a text, two for a number or a container.
qint64 costOfValues(const QByteArray &utf8, qint64 words)
{
    constexpr qint64 perWord = 24;
    constexpr qint64 perContainer = 160;
    return 2 * utf8.size() + perWord * words + perContainer * containersIn(utf8);
}

// The code and the text of a server's error, in any of the forms that backends use.
struct ErrorAnswer
{
    QString code;
    QString text;

    [[nodiscard]] QString words() const
    {
        if (text.isEmpty())
            return code.isEmpty() ? QString() : QStringLiteral("code %1").arg(code);
        return text;
    }
    [[nodiscard]] bool isAboutAuthentication() const
    {
        return code.startsWith(QLatin1String("auth"), Qt::CaseInsensitive) ||
               code.contains(QLatin1String("token"), Qt::CaseInsensitive) ||
               code.contains(QLatin1String("unauthorized"), Qt::CaseInsensitive) ||
               code == QLatin1String("401") || code == QLatin1String("403") ||
               code == QLatin1String("4401") || code == QLatin1String("4403");
    }
};

// Returns a string, or a number as text, because an error code may be either.
QString wordIn(const QJsonObject &object, const char *key)
{
    const QJsonValue value = object.value(QLatin1String(key));
    return value.isDouble() ? scalarText(value).value_or(QString()) : value.toString();
}

ErrorAnswer errorIn(const QJsonObject &message)
{
    ErrorAnswer found;
    // The error may be at the top level, in "payload", or in "error".
    for (const QJsonObject &object :
         {message.value(QLatin1String("payload")).toObject(),
          message.value(QLatin1String("payload")).toObject().value(QLatin1String("error")).toObject(),
          message.value(QLatin1String("error")).toObject(), message}) {
        for (const char *key : {"error", "message", "reason", "detail"}) {
            if (found.text.isEmpty())
                found.text = wordIn(object, key);
        }
        if (found.code.isEmpty())
            found.code = wordIn(object, "code");
    }
    if (found.text.isEmpty())
        found.text = wordIn(message, "payload");
    return found;
}

bool isAuthenticationError(const QString &type)
{
    static const std::array<QLatin1String, 6> types{QLatin1String("auth_error"),
                                                    QLatin1String("auth_failed"),
                                                    QLatin1String("auth_failure"),
                                                    QLatin1String("authentication_error"),
                                                    QLatin1String("authentication_failed"),
                                                    QLatin1String("unauthorized")};
    return std::find(types.begin(), types.end(), type) != types.end();
}

QByteArray toMessage(const QString &token)
{
    const QJsonObject message{{QStringLiteral("type"), QStringLiteral("auth")},
                              {QStringLiteral("token"), token}};
    return QJsonDocument(message).toJson(QJsonDocument::Compact);
}

} // namespace

JsonEventProtocol::JsonEventProtocol(std::shared_ptr<const InterestBoard> interest,
                                     std::shared_ptr<MessagePool> pool)
    : m_interest(std::move(interest)), m_parser(std::make_unique<Parser>())
{
    m_parser->pool = pool ? std::move(pool) : std::make_shared<MessagePool>();
}

JsonEventProtocol::~JsonEventProtocol() = default;

QByteArray JsonEventProtocol::authenticate(const QString &token)
{
    m_stage = Stage::Authenticating;
    return toMessage(token);
}

QByteArray JsonEventProtocol::reauthenticate(const QString &token)
{
    m_stage = Stage::Renewing;
    return toMessage(token);
}

QByteArray JsonEventProtocol::heartbeat()
{
    ++m_pongsDue;
    return QByteArrayLiteral(R"({"type":"ping"})");
}

Received::Outcome JsonEventProtocol::receiveText(PaddedView padded)
{
    const auto trim = qScopeGuard([this] { m_parser->trim(); });
    static_assert(Padding >= qsizetype(simdjson::SIMDJSON_PADDING));
    simdjson::dom::element root;
    const auto error = m_parser->dom.parse(padded.data(), size_t(padded.size()), false).get(root);
    const std::optional<QString> lenientType =
        error && mayBeJson(error) ? LenientJson::typeOf(padded.bytes()) : std::nullopt;
    if (error && !lenientType)
        return Received::Malformed{padded.toByteArray(), explain(error)};
    QByteArrayView type;
    simdjson::dom::object object;
    const bool isObject = !error && !root.get(object);
    if (isObject) {
        // The last of several "type"s counts, as in JSON.parse and QJsonDocument.
        for (const auto field : object) {
            std::string_view value;
            if (field.key == "type")
                type = field.value.get(value) ? QByteArrayView()
                                              : QByteArrayView(value.data(), qsizetype(value.size()));
        }
    }
    // A late pong counts, too. If the library has sent no ping, the pong answers a ping of the app.
    if (m_pongsDue > 0 && type == "pong") {
        --m_pongsDue;
        return Received::HeartbeatAnswer{};
    }
    if (m_interest)
        m_parser->look(*m_interest);
    Decoded former;
    Message message = lenientType ? m_parser->toMessageOf(padded, *lenientType, &former)
                                  : m_parser->toMessage(padded, type, &former);
    if (m_stage != Stage::Open)
        return answerToAuthentication(message);
    if (m_parser->interest)
        decode(message, isObject ? &object : nullptr, std::move(former));
    return message;
}

// If the parser refused the text, or if it is not an object, the app's thread decodes it later.
void JsonEventProtocol::decode(Message &message, const simdjson::dom::object *object, Decoded former)
{
    const bool isGuarded = object && m_parser->runsForeignCode;
    const auto guard = qScopeGuard([&] {
        if (isGuarded)
            m_interest->endDecoding();
    });
    if (isGuarded) {
        m_interest->beginDecoding();
        m_parser->look(*m_interest); // read again after beginDecoding(), as InterestBoard requires
    }
    int made = decodeFor(m_parser->interest->every, message, object, &former);
    if (m_parser->lastWanted)
        made += decodeFor(*m_parser->lastWanted, message, object, &former);
    former = {}; // an unused gadget must be destroyed before endDecoding()
    message.d->interest = m_parser->interestNumber;
    // The audience is looked up by the type's UTF-8. A type with a lone surrogate has none.
    const bool isTypeKnown = !m_parser->lastType.isEmpty() || message.d->type().isEmpty();
    message.d->audience = isTypeKnown ? m_parser->audience() : Audience::Each;
    if (made > 0) {
        const QByteArray &utf8 = message.d->bytes;
        // What simdjson has refused is no longer than its text.
        const qint64 words = object ? qint64(m_parser->words()) : utf8.size();
        message.d->decodedCost = made * costOfValues(utf8, words);
    }
}

// Returns how many forms it decoded.
int JsonEventProtocol::decodeFor(const Interest::InType &type, Message &message,
                                 const simdjson::dom::object *object, Decoded *former)
{
    int made = 0;
    if (type.json) {
        message.d->isCountedAhead = true;
        (void)message.payload();
        ++made;
    }
    for (const auto &form : type.forms) {
        if (!object || message.decodedAs(form.key.get()))
            continue;
        try {
            Decoded again = former->form == form.key ? std::exchange(*former, {}) : Decoded();
            message.addDecoded(form.decoder->decode(*object, form.key, std::move(again)));
            ++made;
        } catch (...) { // from a setter of the app: the handler's thread tries again and reports it
            qCWarning(lcConnection).noquote()
                << "a property of the gadget that a handler of" << PeerText::shown(message.type())
                << "takes threw:" << whatWasThrown();
        }
    }
    return made;
}

Received::Outcome JsonEventProtocol::answerToAuthentication(const Message &message)
{
    const QString type = message.type();
    if (type == QLatin1String("auth_success")) {
        m_stage = Stage::Open;
        return Received::Authenticated{sessionIn(message.json())};
    }
    const bool renews = m_stage == Stage::Renewing;
    const auto failure = [this, renews](const QString &reason) {
        if (renews)
            m_stage = Stage::Open;
        return Received::AuthenticationFailed{reason.isEmpty() ? QStringLiteral("authentication failed")
                                                               : reason};
    };
    if (isAuthenticationError(type))
        return failure(errorIn(message.json()).words());
    if (type == QLatin1String("error")) {
        const ErrorAnswer error = errorIn(message.json());
        // On a live connection, the error may concern a message of the app.
        if (!renews || error.isAboutAuthentication())
            return failure(error.words());
    }
    if (renews)
        return message;
    return Received::Ignored{type};
}

} // namespace Everwire
