// SPDX-License-Identifier: MIT
#include "payloads.h"

#include <algorithm>
#include <array>
#include <random>

namespace {

constexpr qsizetype Size = 260'000; // about that of Autobahn's files: twice the largest message

// Not a std::uniform_int_distribution, which each standard library makes in its own way.
class Random
{
public:
    int below(int end) { return int(m_engine() % uint(end)); }

    template<typename T, size_t N>
    const T &oneOf(const std::array<T, N> &values)
    {
        return values[size_t(below(int(N)))];
    }

private:
    std::mt19937 m_engine{20120914};
};

constexpr std::array words = {"der",    "wald", "licht", "nacht", "und",    "geist", "ich",   "sehe",
                              "stern",  "wort", "was",   "zeit",  "himmel", "erde",  "leben", "kein",
                              "mensch", "herz", "alles", "durch", "welt",   "nun",   "tief",  "schein"};

QByteArray sentence(Random &random)
{
    QByteArray text;
    for (int count = 4 + random.below(9); count > 0; --count)
        text.append(random.oneOf(words)).append(count > 1 ? " " : ".\n");
    return text;
}

template<typename Append>
QByteArray filled(Append append)
{
    Random random;
    QByteArray bytes;
    while (bytes.size() < Size)
        append(bytes, random);
    return bytes.left(Size);
}

} // namespace

const QByteArray &Payloads::json()
{
    static const QByteArray bytes = filled([](QByteArray &out, Random &random) {
        out += R"({"id": )" + QByteArray::number(random.below(1'000'000)) + R"(, "name": ")" +
               random.oneOf(words) + R"(", "duration": )" + QByteArray::number(random.below(5000)) +
               R"(, "passed": )" + (random.below(8) > 0 ? "true" : "false") + R"(, "codes": [1000, )" +
               QByteArray::number(1000 + random.below(16)) + "]},\n";
    });
    return bytes;
}

const QByteArray &Payloads::bitmap()
{
    static const QByteArray bytes = filled([](QByteArray &out, Random &random) {
        // A gradient with noise
        out.append(char((out.size() % 512) / 4 + random.below(12)));
    });
    return bytes;
}

const QByteArray &Payloads::prose()
{
    static const QByteArray bytes = filled([](QByteArray &out, Random &random) { out += sentence(random); });
    return bytes;
}

const QByteArray &Payloads::html()
{
    static const QByteArray bytes = filled([](QByteArray &out, Random &random) {
        out += "<tr class=\"case\"><td id=\"" + QByteArray::number(random.below(10'000)) + "\">" +
               sentence(random).trimmed() + "</td></tr>\n";
    });
    return bytes;
}

const QByteArray &Payloads::packed()
{
    static const QByteArray bytes = filled([](QByteArray &out, Random &random) {
        out += "\nstream\n";
        for (int count = 2000; count > 0; --count)
            out.append(char(random.below(256)));
        out += "\nendstream\n" + QByteArray::number(random.below(500)) + " 0 obj << /Type /Page >> endobj";
    });
    return bytes;
}
