// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QJsonObject>
#include <QMetaType>
#include <QString>

#include <memory>

class QDebug;

namespace Everwire {

// The error with which a server answered a request.
struct ServerError
{
    // A string or a number. Undefined if the server sent none.
    QJsonValue code{QJsonValue::Undefined};
    QString message;    // the server's text, empty if there is none
    QJsonObject object; // the whole reply
};

// Why a connection failed: for a program (code, closeCode), for a person (message), and whether the
// connection tries again by itself (isFinal is false) or waits for open() (isFinal is true, rule S3).
class EVERWIRE_EXPORT ConnectionError
{
    Q_GADGET
    Q_PROPERTY(Code code READ code CONSTANT)
    Q_PROPERTY(QString message READ message CONSTANT)
    Q_PROPERTY(int closeCode READ closeCode CONSTANT)
    Q_PROPERTY(bool isFinal READ isFinal CONSTANT)
    Q_PROPERTY(QJsonValue serverCode READ serverCode CONSTANT)
    Q_PROPERTY(QString serverMessage READ serverMessage CONSTANT)
    Q_PROPERTY(QJsonObject serverObject READ serverObject CONSTANT)

public:
    enum Code {
        NoError,
        NotConfigured,        // no URL, or a URL template with a part that no option fills (O4)
        InvalidConfiguration, // an unknown key, a wrong type or an impossible value (C3)
        InsecureTransport,    // a token would go over ws:// to a host that is not loopback (A8)
        NoToken,              // the token provider says that there is none (A4)
        InvalidToken,         // the token has control characters, or is too large for a message
        TokenFailed,          // the token provider failed (A4)
        TokenTimeout,         // no token within tokenTimeout (R9)
        ConnectTimeout,       // TCP, TLS and upgrade took longer than connectTimeout (R9)
        HostNotFound,
        ConnectionRefused,
        TlsFailed,
        HandshakeFailed,       // the server did not upgrade to WebSocket
        AuthenticationFailed,  // the server refused the token (A3)
        AuthenticationTimeout, // no answer within authTimeout (A2)
        ConnectionLost,        // ended without a Close frame (R8)
        HeartbeatTimeout,      // no sign of life within pongTimeout (H1)
        ClosedByServer,        // the server sent a Close frame
        ProtocolViolation,     // the peer broke RFC 6455 or a limit
        Overloaded,            // the UI is maxPendingBytes behind and reading cannot be paused (M8)
        PreparationFailed,     // what had to be done before the socket failed (Preparation)
        RequestFailed,         // request(): the reply is an error, or the request was not sent
        RequestTimeout,        // request(): no reply in time
    };
    Q_ENUM(Code)

    ConnectionError() = default;
    ConnectionError(Code code, QString message, int closeCode = 0, bool isFinal = false)
        : m_message(std::move(message)), m_code(code), m_closeCode(closeCode), m_isFinal(isFinal)
    {
    }

    [[nodiscard]] Code code() const { return m_code; }
    [[nodiscard]] QString message() const { return m_message; }
    // RFC 6455 §7.4, or 0 where no connection was closed.
    [[nodiscard]] int closeCode() const { return m_closeCode; }
    [[nodiscard]] bool isFinal() const { return m_isFinal; }

    // The error with which the server answered a request() (rule Q13), neither escaped nor
    // shortened. serverCode() is a string or a number, and undefined if the server sent none.
    // serverObject() is the whole reply.
    [[nodiscard]] QJsonValue serverCode() const
    {
        return m_server ? m_server->code : QJsonValue(QJsonValue::Undefined);
    }
    [[nodiscard]] QString serverMessage() const { return m_server ? m_server->message : QString(); }
    [[nodiscard]] QJsonObject serverObject() const { return m_server ? m_server->object : QJsonObject(); }
    [[nodiscard]] ConnectionError withServerError(const ServerError &server) const
    {
        ConnectionError error = *this;
        error.m_server = std::make_shared<const ServerError>(server);
        return error;
    }

    [[nodiscard]] ConnectionError asFinal(QString message) const
    {
        return {m_code, std::move(message), m_closeCode, true};
    }
    [[nodiscard]] ConnectionError asFinal() const { return asFinal(m_message); }

    // Whether such a failure may be over once the network is back (rule R7).
    [[nodiscard]] friend constexpr bool isAboutTheNetwork(Code code)
    {
        return code == HostNotFound || code == ConnectionRefused || code == ConnectTimeout ||
               code == TlsFailed || code == ConnectionLost || code == HeartbeatTimeout ||
               code == TokenFailed || code == TokenTimeout || code == PreparationFailed;
    }

    friend bool operator==(const ConnectionError &a, const ConnectionError &b)
    {
        return a.m_code == b.m_code && a.m_closeCode == b.m_closeCode && a.m_isFinal == b.m_isFinal &&
               a.m_message == b.m_message && a.serverCode() == b.serverCode() &&
               a.serverMessage() == b.serverMessage() && a.serverObject() == b.serverObject();
    }
    friend bool operator!=(const ConnectionError &a, const ConnectionError &b) { return !(a == b); }
    friend EVERWIRE_EXPORT QDebug operator<<(QDebug debug, const ConnectionError &error);

private:
    QString m_message;
    std::shared_ptr<const ServerError> m_server;
    Code m_code = NoError;
    int m_closeCode = 0;
    bool m_isFinal = false;
};

} // namespace Everwire

Q_DECLARE_METATYPE(Everwire::ConnectionError)
