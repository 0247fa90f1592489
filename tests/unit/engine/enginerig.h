// SPDX-License-Identifier: MIT
#pragma once

#include "core/closecode.h"
#include "engine/engine.h"
#include "protocol/jsoneventprotocol.h"
#include "testkit/faketransport.h"
#include "testkit/manualscheduler.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <optional>

namespace Everwire::Test {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

inline const QByteArray AuthError = R"({"type":"auth_error","error":"Invalid token"})";

constexpr qint64 Now = 1'800'000'000; // s since 1970; the rig's wall clock

inline QString jwt(qint64 expiresAt, std::optional<qint64> issuedAt = {}, const QString &mark = {},
                   const QString &user = {})
{
    QJsonObject claims{{QStringLiteral("exp"), expiresAt}, {QStringLiteral("mark"), mark}};
    if (issuedAt)
        claims.insert(QStringLiteral("iat"), *issuedAt);
    if (!user.isEmpty())
        claims.insert(QStringLiteral("sub"), user);
    return QStringLiteral("e30.") +
           QString::fromLatin1(
               QJsonDocument(claims)
                   .toJson(QJsonDocument::Compact)
                   .toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals)) +
           QStringLiteral(".sig");
}

// Of a message that authenticates.
inline QString tokenIn(const QByteArray &authMessage)
{
    return QJsonDocument::fromJson(authMessage).object().value(QLatin1String("token")).toString();
}

// Messages that tell each other apart.
inline QByteArray text(int number)
{
    return R"({"type":"n","n":)" + QByteArray::number(number) + '}';
}

inline QList<QByteArray> texts(int from, int to)
{
    QList<QByteArray> list;
    for (int i = from; i <= to; ++i)
        list.append(text(i));
    return list;
}

// An engine between a fake network, a clock turned by hand and the real protocol. The test plays the app
// (commands, pushes) and the network (rig.wire).
class EngineRig
{
public:
    // transports: real ones, in place of the fake network.
    explicit EngineRig(const ConnectionConfig &configuration = plain(),
                       const TransportFactory &transports = {})
        : config(configuration)
    {
        Engine::Surroundings around;
        around.name = QStringLiteral("test");
        around.transports = transports ? transports : FakeTransport::factory(&wire);
        around.protocols = [this] { return std::make_unique<JsonEventProtocol>(interest); };
        around.scheduler = &scheduler;
        around.random = [this] { return random; };
        around.wallClock = [this] { return wallClock; };
        around.inbox = inbox;
        around.outbox = outbox;
        engine = std::make_unique<Engine>(std::move(around));
        outbox->setLimits(config);
    }

    // Exact delays: 1, 2, 4 … s.
    [[nodiscard]] static ConnectionConfig plain() { return ConnectionConfig().setReconnectJitter(0); }
    [[nodiscard]] static ConnectionConfig open() // without authentication
    {
        return plain().setAuthentication(ConnectionConfig::Authentication::None);
    }

    // ---- the app ----
    void post(Command::Any command)
    {
        outbox->post(std::move(command));
        engine->processOutbox();
    }
    void postOpen()
    {
        outbox->setAccepting(true);
        post(Command::Open{config, url});
    }
    void postClose()
    {
        outbox->setAccepting(false);
        post(Command::Close{++generation});
    }
    void postReconnect() { post(Command::Reconnect{config, url}); }
    void postConfigure(const ConnectionConfig &next)
    {
        outbox->setLimits(next);
        post(Command::Configure{next, url});
    }
    void answer(const TokenResult &result) { post(Command::AnswerToken{lastRequest(), result}); }
    void giveToken(const QString &token = QStringLiteral("token-1"))
    {
        answer({TokenResult::Token, token, {}});
    }
    Outbox::Pushed push(const QByteArray &text)
    {
        Outbox::Pushed pushed = outbox->push({text, false, {}});
        engine->processOutbox();
        return pushed;
    }

    // ---- both ----
    void toOpening(const QString &token = QStringLiteral("token-1"))
    {
        postOpen();
        if (authenticates())
            giveToken(token);
    }
    void connectTo() // the fetch or the wait is over: from Opening to Connected
    {
        wire.current->connectTo();
        if (authenticates())
            wire.current->receive(success());
    }
    void toConnected(const QString &token = QStringLiteral("token-1"))
    {
        toOpening(token);
        connectTo();
    }
    // From Reconnecting to Connected.
    void comeBack(const QString &token = QStringLiteral("token-1"))
    {
        scheduler.advance(0ms); // the event loop comes round
        scheduler.advance(scheduler.untilNext());
        if (authenticates())
            giveToken(token);
        connectTo();
    }
    // FetchingToken: the answer is this token, and the server refuses it.
    void refuse(const QString &token, const QByteArray &answer = AuthError)
    {
        giveToken(token);
        scheduler.advance(0ms); // the event loop comes round
        wire.current->connectTo();
        wire.current->receive(answer);
    }
    // The server answers our Close frame, and ends.
    void answerClose() { wire.current->end(ConnectionError::ClosedByServer, CloseCode::Normal); }
    void lose() { wire.current->end(ConnectionError::ConnectionLost, CloseCode::Abnormal); }

    [[nodiscard]] static QByteArray success()
    {
        return R"({"type":"auth_success","session_id":"s-1","user_id":"u-1","timestamp":"2024-01-01T00:00:00Z"})";
    }
    [[nodiscard]] bool authenticates() const
    {
        return config.authentication() == ConnectionConfig::Authentication::FirstMessage;
    }

    // ---- what was reported ----
    const std::vector<Inbox::Entry> &entries()
    {
        for (auto &entry : inbox->takeAll().entries)
            m_entries.push_back(std::move(entry));
        return m_entries;
    }
    template<typename T>
    [[nodiscard]] QList<T> all()
    {
        QList<T> found;
        for (const auto &entry : entries()) {
            if (const T *one = entry.as<T>())
                found.append(*one);
        }
        return found;
    }
    [[nodiscard]] Transition last() { return all<Transition>().last(); }
    [[nodiscard]] QString states() // since the last forget()
    {
        QStringList names;
        for (const Transition &transition : all<Transition>())
            names.append(QString::fromLatin1(toString(transition.to)));
        return names.join(QLatin1Char(' '));
    }
    [[nodiscard]] QString state() const { return QString::fromLatin1(toString(engine->state())); }
    [[nodiscard]] int discarded()
    {
        int count = 0;
        for (const auto &notice : all<Notice::Discarded>())
            count += notice.count;
        return count;
    }
    quint64 lastRequest()
    {
        const auto requests = all<Notice::TokenNeeded>();
        if (!requests.isEmpty())
            m_lastRequest = requests.last().request;
        return m_lastRequest;
    }
    // The app has handled everything.
    void forget()
    {
        (void)lastRequest();
        for (const auto &entry : entries())
            inbox->handled(entry.cost);
        m_entries.clear();
    }
    // Everything sent but the tokens.
    [[nodiscard]] QList<QByteArray> sent() const
    {
        QList<QByteArray> texts;
        for (const auto &frame : wire.sent) {
            if (!frame.bytes.startsWith(R"({"token")"))
                texts.append(frame.bytes);
        }
        return texts;
    }
    [[nodiscard]] QList<QByteArray> tokensSent() const
    {
        QList<QByteArray> texts;
        for (const auto &frame : wire.sent) {
            if (frame.bytes.startsWith(R"({"token")"))
                texts.append(frame.bytes);
        }
        return texts;
    }

    ConnectionConfig config;
    QUrl url{QStringLiteral("wss://server.example/stream")};
    double random = 0.5;
    qint64 wallClock = 1'800'000'000'000; // ms since 1970
    quint32 generation = 0;
    FakeTransport::Wire wire;
    ManualScheduler scheduler;
    std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
    const std::shared_ptr<InterestBoard> interest =
        std::make_shared<InterestBoard>(); // nothing is published yet
    std::shared_ptr<Outbox> outbox = std::make_shared<Outbox>();
    std::unique_ptr<Engine> engine;

private:
    std::vector<Inbox::Entry> m_entries;
    quint64 m_lastRequest = 0;
};

} // namespace Everwire::Test
