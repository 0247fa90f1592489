// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

#include <zlib.h>

namespace Bench {

// What is agreed of permessage-deflate (RFC 7692), from the server's view.
struct DeflateTerms
{
    bool isAgreed = false;
    bool serverKeepsContext = true;
    int serverWindowBits = 15;
    bool windowBitsWereAsked = false;

    // The first offer, as the client wishes it; the client itself is left to do what it likes.
    static DeflateTerms from(const QByteArray &offer);
    [[nodiscard]] QByteArray answer() const;
};

class Deflater
{
public:
    explicit Deflater(const DeflateTerms &terms);
    ~Deflater();
    Q_DISABLE_COPY_MOVE(Deflater)

    // A message's payload on the wire.
    QByteArray deflate(QByteArrayView message);

private:
    z_stream m_zlib{};
    bool m_keepsContext;
};

class Inflater
{
public:
    Inflater();
    ~Inflater();
    Q_DISABLE_COPY_MOVE(Inflater)

    // The view lives until the next call.
    bool inflate(QByteArrayView payload, QByteArrayView *message);

private:
    z_stream m_zlib{};
    QByteArray m_room;
};

} // namespace Bench
