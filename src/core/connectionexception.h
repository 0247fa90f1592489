// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionError>

#include <QException>

namespace Everwire {

// What the futures of Connection throw: a ConnectionError.
//
//     connection->openAsync()
//         .then(this, [this](const SessionInfo &session) { greet(session.userId()); })
//         .onFailed(this, [this](const ConnectionException &failure) { show(failure.error().message()); });
class EVERWIRE_EXPORT ConnectionException : public QException
{
public:
    explicit ConnectionException(ConnectionError error)
        : m_error(std::move(error)), m_what(m_error.message().toUtf8())
    {
    }

    [[nodiscard]] const ConnectionError &error() const { return m_error; }
    // The error with which the server answered a request() (rule Q13): its code (a string or a
    // number, undefined if the server sent none), its text, and the whole reply.
    [[nodiscard]] QJsonValue serverCode() const { return m_error.serverCode(); }
    [[nodiscard]] QString serverMessage() const { return m_error.serverMessage(); }
    [[nodiscard]] QJsonObject serverObject() const { return m_error.serverObject(); }

    [[nodiscard]] const char *what() const noexcept override { return m_what.constData(); }

    void raise() const override { throw *this; }
    [[nodiscard]] ConnectionException *clone() const override { return new ConnectionException(*this); }

private:
    ConnectionError m_error;
    QByteArray m_what;
};

} // namespace Everwire
