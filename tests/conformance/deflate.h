// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

#include <memory>
#include <optional>
#include <vector>

// The server's half of permessage-deflate (RFC 7692).
struct DeflateAnswer
{
    int serverBits = 15;
    int clientBits = 15;
    bool serverTakesOver = true; // its context from one message to the next
    bool clientTakesOver = true;
    QByteArray header; // of the 101 answer
};

// What a case asks of the client's side of the compression.
struct DeflateWish
{
    bool clientNoContextTakeover = false;
    int clientMaxWindowBits = 0; // 0: does not say
};

// The answer to the client's Sec-WebSocket-Extensions that grants the first of the wishes that it can grant; what
// the client asks of the server is always granted. nullopt: no wish fits any offer.
std::optional<DeflateAnswer> answerDeflate(const QByteArray &offers, const std::vector<DeflateWish> &wishes);

class Deflate
{
public:
    explicit Deflate(const DeflateAnswer &answer);
    ~Deflate();
    Q_DISABLE_COPY_MOVE(Deflate)

    [[nodiscard]] QByteArray compressed(const QByteArray &message);
    // nullopt: not what a compressor within the negotiated window would have written.
    [[nodiscard]] std::optional<QByteArray> decompressed(const QByteArray &message);

private:
    struct Streams;
    std::unique_ptr<Streams> m_streams;
    bool m_serverTakesOver;
    bool m_clientTakesOver;
};
