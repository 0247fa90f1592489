// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include "transport/deflate.h"

#include <QStringList>
#include <QUrl>
#include <QVariantMap>

#include <chrono>

namespace Everwire {

// A client's opening handshake (RFC 6455 §4), sans I/O: the request as bytes, and the server's answer from
// bytes, in whatever pieces they come. Bounded: 16 KiB of headers, 1 KiB of a refusal's body.
class EVERWIRE_EXPORT ClientHandshake
{
public:
    struct Request
    {
        QUrl url; // ws or wss
        QStringList protocols;
        QVariantMap headers; // name to string
        bool offerDeflate = false;
        QByteArray key;      // 16 random bytes, in base64
        QStringList secrets; // masked in what problem() quotes from the answer
    };
    enum class Outcome {
        Unfinished, // more bytes are needed
        Accepted,   // what follows are frames
        Redirected, // location() says where to
        Refused,    // status() and problem() say why
        Invalid,    // no valid answer to this request; problem() says why
    };

    explicit ClientHandshake(Request request);

    [[nodiscard]] static QByteArray makeKey();
    [[nodiscard]] QByteArray request() const;
    // Takes what belongs to the answer from the front of *input.
    [[nodiscard]] Outcome read(QByteArrayView *input);
    // The server has ended the connection, or said enough: makes the best of what has come.
    [[nodiscard]] Outcome finish();
    // The headers of a refusal are here, and it may yet be explained in its body.
    [[nodiscard]] bool isReadingBody() const { return m_readsBody; }

    [[nodiscard]] int status() const { return m_status; }
    // For a person: "401 Unauthorized. …", or what is wrong with the answer.
    [[nodiscard]] QString problem() const { return m_problem; }
    [[nodiscard]] QUrl location() const { return m_location; }
    // Zero where the server did not say. An HTTP date counts from the server's own Date.
    [[nodiscard]] std::chrono::milliseconds retryAfter() const { return m_retryAfter; }
    [[nodiscard]] QByteArray protocol() const { return m_protocol; }
    [[nodiscard]] std::optional<DeflateParameters> deflate() const { return m_deflate; }

private:
    struct Header
    {
        QByteArray name; // in lower case
        QByteArray value;
    };

    [[nodiscard]] QString shown(QByteArrayView bytes, qsizetype most) const;
    Outcome invalid(const QString &problem);
    [[nodiscard]] bool parseHead();
    [[nodiscard]] bool parseStatusLine(QByteArrayView line);
    [[nodiscard]] bool parseHeader(QByteArrayView line);
    [[nodiscard]] QByteArray value(QByteArrayView name) const; // of several: joined by commas
    [[nodiscard]] int count(QByteArrayView name) const;
    [[nodiscard]] Outcome judgeHead();
    [[nodiscard]] Outcome judgeUpgrade();
    [[nodiscard]] Outcome readBody(QByteArrayView *input);
    [[nodiscard]] QString explanation() const;
    void readRetryAfter();

    Request m_request;
    QByteArray m_head;
    QByteArray m_body;
    qint64 m_bodySize = -1; // as announced; -1: until the end
    bool m_readsBody = false;
    int m_interim = 0; // answers before the answer
    int m_status = 0;
    QByteArray m_reasonPhrase;
    QList<Header> m_headers;
    QString m_problem;
    QUrl m_location;
    std::chrono::milliseconds m_retryAfter{};
    QByteArray m_protocol;
    std::optional<DeflateParameters> m_deflate;
};

} // namespace Everwire
