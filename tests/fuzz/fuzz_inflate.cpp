// SPDX-License-Identifier: MIT
//
// Compressed messages, with parameters and pieces from the first two bytes: bounded, and the same whatever the
// pieces; and what our own compressor makes of the bytes comes back as it was.
#include "transport/deflate.h"

#include <cstdint>
#include <cstdlib>

using namespace Everwire;

namespace {

constexpr qsizetype Limit = 1 << 16;

Inflater::Result inflateAll(Inflater &inflater, QByteArrayView bytes, qsizetype size, QByteArray *out)
{
    for (qsizetype at = 0; at < bytes.size(); at += size) {
        const auto result = inflater.inflate(bytes.sliced(at, std::min(size, bytes.size() - at)), out, Limit);
        if (out->size() > Limit)
            std::abort();
        if (result != Inflater::Result::Ok)
            return result;
    }
    return inflater.finish(out, Limit);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    DeflateParameters parameters;
    parameters.serverNoContextTakeover = parameters.clientNoContextTakeover = (data[0] & 1) != 0;
    parameters.serverMaxWindowBits = parameters.clientMaxWindowBits = 9 + (data[0] >> 1) % 7;
    const QByteArrayView bytes(reinterpret_cast<const char *>(data) + 2, qsizetype(size) - 2);

    Inflater whole(parameters);
    Inflater pieces(parameters);
    for (int round = 0; round < 2; ++round) {
        QByteArray first;
        QByteArray second;
        const auto a = inflateAll(whole, bytes, bytes.size(), &first);
        const auto b = inflateAll(pieces, bytes, 1 + data[1], &second);
        if ((a == Inflater::Result::Ok) != (b == Inflater::Result::Ok) ||
            (a == Inflater::Result::Ok && first != second))
            std::abort();
        if (a != Inflater::Result::Ok)
            break;
    }

    Deflater deflater(parameters);
    Inflater back(parameters);
    for (int round = 0; round < 2; ++round) {
        QByteArray out;
        const QByteArray deflated = deflater.compress(bytes).toByteArray();
        if (bytes.size() <= Limit &&
            (inflateAll(back, deflated, 1 + data[1], &out) != Inflater::Result::Ok || out != bytes))
            std::abort();
    }
    return 0;
}
