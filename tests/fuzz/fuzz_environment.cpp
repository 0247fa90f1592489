// SPDX-License-Identifier: MIT
//
// A .env file: any bytes have good lines and bad ones, and a bad one is reported by a line that there is (rule C2).
#include "client/environmentfile.h"

#include <cstdint>
#include <cstdlib>

using namespace Everwire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const QByteArray bytes(reinterpret_cast<const char *>(data), qsizetype(size));
    const auto lookup = [](const QString &name) {
        return name.size() % 2 ? QString() : QStringLiteral("from outside");
    };
    const EnvironmentFile file = EnvironmentFile::parse(bytes, lookup);
    const qsizetype lines = 1 + bytes.count('\n') + bytes.count('\r');
    for (const auto &problem : file.problems()) {
        if (problem.line < 1 || problem.line > lines || problem.what.isEmpty())
            std::abort();
    }
    for (auto it = file.values().begin(); it != file.values().end(); ++it) {
        if (it.key().isEmpty())
            std::abort();
    }
    return 0;
}
