// SPDX-License-Identifier: MIT
//
// The peer's frames. The first byte says whether permessage-deflate was agreed on and how the rest is cut: whatever
// the pieces, the outcome must be the same.
#include "transport/frame.h"

#include <QList>

#include <cstdint>
#include <cstdlib>

using namespace Everwire;

namespace {

struct Seen
{
    Incoming::Kind kind;
    QByteArray payload;
    int closeCode;
    bool operator==(const Seen &other) const
    {
        return kind == other.kind && payload == other.payload && closeCode == other.closeCode;
    }
};

QList<Seen> readAll(QByteArrayView bytes, qsizetype size, bool deflate)
{
    constexpr qint64 limit = 1 << 16;
    FrameReader reader(limit, deflate ? std::optional<DeflateParameters>(DeflateParameters()) : std::nullopt);
    QList<Seen> seen;
    for (qsizetype at = 0; at < bytes.size(); at += size) {
        const PaddedCopy piece(bytes.sliced(at, std::min(size, bytes.size() - at)));
        PaddedView input = piece.view();
        for (;;) {
            const Incoming incoming = reader.read(&input);
            if (incoming.kind == Incoming::Nothing)
                break;
            seen.append({incoming.kind, reader.takePayload(incoming), incoming.closeCode});
            if (seen.constLast().payload.size() > limit)
                std::abort();
            if (incoming.kind == Incoming::Violation)
                return seen;
        }
    }
    return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const bool deflate = (data[0] & 1) != 0;
    const qsizetype piece = 1 + (data[0] >> 1);
    const QByteArrayView bytes(reinterpret_cast<const char *>(data) + 1, qsizetype(size) - 1);
    const QList<Seen> whole = readAll(bytes, bytes.size(), deflate);
    const QList<Seen> pieces = readAll(bytes, piece, deflate);
    if (whole == pieces)
        return 0;
    // Two violations may be there at once (a message too large, and not UTF-8): then which one is found first may
    // depend on the pieces, and nothing else.
    const bool sameBefore = whole.size() == pieces.size() && !whole.isEmpty() &&
                            whole.constLast().kind == Incoming::Violation &&
                            pieces.constLast().kind == Incoming::Violation &&
                            whole.first(whole.size() - 1) == pieces.first(pieces.size() - 1);
    if (!sameBefore)
        std::abort();
    return 0;
}
