// SPDX-License-Identifier: MIT
//
// The server's answer to the upgrade. The first byte says how it is cut: whatever the pieces, the outcome must be the
// same, and so must what is left for the frames.
#include "transport/handshake.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace Everwire;

namespace {

struct Result
{
    ClientHandshake::Outcome outcome = ClientHandshake::Outcome::Unfinished;
    QString problem;
    qsizetype left = 0;
    bool operator==(const Result &other) const
    {
        return outcome == other.outcome && problem == other.problem && left == other.left;
    }
};

Result readAll(QByteArrayView bytes, qsizetype size)
{
    ClientHandshake::Request request;
    request.url = QUrl(QStringLiteral("ws://host/path"));
    request.protocols = {QStringLiteral("v1")};
    request.offerDeflate = true;
    request.key = "dGhlIHNhbXBsZSBub25jZQ==";
    request.secrets = {QStringLiteral("SECRET-TOKEN")};
    ClientHandshake handshake(request);
    Result result;
    for (qsizetype at = 0; at < bytes.size(); at += size) {
        QByteArrayView piece = bytes.sliced(at, std::min(size, bytes.size() - at));
        const qsizetype behind = bytes.size() - at - piece.size();
        result.outcome = handshake.read(&piece);
        result.left = behind + piece.size();
        if (result.outcome != ClientHandshake::Outcome::Unfinished)
            break;
    }
    if (result.outcome == ClientHandshake::Outcome::Unfinished)
        result.outcome = handshake.finish();
    if (result.outcome == ClientHandshake::Outcome::Accepted)
        return result;
    result.left = 0;
    result.problem = handshake.problem();
    if (result.problem.isEmpty() || result.problem.size() > 1000)
        std::abort(); // a person must be told, in a sentence
    // That sentence drives no terminal and quotes no secret (rules A7, C4).
    const auto isHidden = [](QChar c) {
        return c.category() == QChar::Other_Control || c.category() == QChar::Other_Format;
    };
    if (std::any_of(result.problem.begin(), result.problem.end(), isHidden) ||
        result.problem.contains(QLatin1String("SECRET-T")) ||
        result.problem.contains(QLatin1String("ET-TOKEN")))
        std::abort();
    return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const QByteArrayView bytes(reinterpret_cast<const char *>(data) + 1, qsizetype(size) - 1);
    const Result whole = readAll(bytes, bytes.size());
    const Result pieces = readAll(bytes, 1 + data[0]);
    // What is quoted of an answer may depend on how much of it had come.
    if (whole.outcome != pieces.outcome || whole.left != pieces.left)
        std::abort();
    return 0;
}
