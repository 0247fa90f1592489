// SPDX-License-Identifier: MIT
#include "casebuilding.h"

using std::to_string;

namespace {

constexpr qsizetype Ki = 1024;
constexpr qsizetype Mi = 1024 * Ki;

struct Kind
{
    bool binary;
    const char *name;
    QByteArray pattern; // of the messages that are sent whole
    char byte;          // of the fragmented ones and of the rounds

    [[nodiscard]] Event echo(const QByteArray &payload) const
    {
        return {binary ? Event::Binary : Event::Text, payload};
    }
    [[nodiscard]] Opcode opcode() const { return binary ? Binary : Text; }
};

const Kind kinds[] = {
    {false, "text", "BAsd7&jh23", '*'},
    {true, "binary message", QByteArray("\x00\xfe\x23\xfa\xf0", 5), '\xfe'},
};

std::string sized(qsizetype size)
{
    return size >= Mi   ? to_string(size / Mi) + " MiB"
           : size >= Ki ? to_string(size / Ki) + " KiB"
                        : to_string(size) + " bytes";
}

std::string idOf(int group, const Kind &kind, int number)
{
    return "9." + to_string(group + (kind.binary ? 1 : 0)) + '.' + to_string(number);
}

void addLarge(std::vector<Case> &cases, const Kind &kind)
{
    int number = 0;
    for (const qsizetype size : {64 * Ki, 256 * Ki, Mi, 4 * Mi, 8 * Mi, 16 * Mi})
        cases.push_back(
            {idOf(1, kind, ++number), "One " + std::string(kind.name) + " of " + sized(size), [&kind, size] {
                 const QByteArray payload = repeated(kind.pattern, size);
                 return answered({send(frame(kind.opcode(), payload))}, {kind.echo(payload)});
             }});
}

void addFragmented(std::vector<Case> &cases, const Kind &kind)
{
    int number = 0;
    for (qsizetype size = 64; size <= 4 * Mi; size *= 4)
        cases.push_back(
            {idOf(3, kind, ++number),
             "One " + std::string(kind.name) + " of 4 MiB in fragments of " + sized(size), [&kind, size] {
                 const QByteArray payload(4 * Mi, kind.byte);
                 return answered({send(message(kind.opcode(), payload, size))}, {kind.echo(payload)});
             }});
}

void addChopped(std::vector<Case> &cases, const Kind &kind)
{
    int number = 0;
    for (qsizetype size = 64; size <= 2 * Ki; size *= 2)
        cases.push_back({idOf(5, kind, ++number),
                         "One " + std::string(kind.name) + " of 1 MiB, arriving in pieces of " + sized(size),
                         [&kind, size] {
                             const QByteArray payload = repeated(kind.pattern, Mi);
                             return answered({send(frame(kind.opcode(), payload), size)},
                                             {kind.echo(payload)});
                         }});
}

void addRounds(std::vector<Case> &cases, const Kind &kind)
{
    int number = 0;
    for (const qsizetype size : {0, 16, 64, 256, 1024, 4096})
        cases.push_back({idOf(7, kind, ++number),
                         std::string("Round trips of a ") + kind.name + " of " + sized(size), [&kind, size] {
                             Script script = answered({}, {});
                             script.rounds = Rounds{kind.binary, size, 0, QByteArray(size, kind.byte), {}};
                             return script;
                         }});
}

} // namespace

void addLoadCases(std::vector<Case> &cases)
{
    for (const auto add : {addLarge, addFragmented, addChopped, addRounds})
        for (const Kind &kind : kinds)
            add(cases, kind);
}
