// SPDX-License-Identifier: MIT
#include "casebuilding.h"
#include "payloads.h"

using std::to_string;

namespace {

struct Size
{
    qsizetype message;
    qsizetype frame; // of the compressed bytes, 0: not fragmented
};

constexpr Size sizes[] = {
    {16, 0},      {64, 0},      {256, 0},      {1024, 0},      {4096, 0},      {8192, 0},
    {16384, 0},   {32768, 0},   {65536, 0},    {131072, 0},    {8192, 256},    {16384, 256},
    {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768},
};

struct Payload
{
    const char *name;
    bool binary;
    const QByteArray &(*bytes)();
};

constexpr Payload jsonPayload = {"JSON", false, Payloads::json};

void add(std::vector<Case> &cases, const std::string &group, const Payload &payload,
         const std::string &suffix, const std::vector<DeflateWish> &wishes)
{
    int number = 0;
    for (const auto [size, frameSize] : sizes) {
        std::string checks = std::string(payload.name) + ", messages of " + to_string(size) + " bytes";
        if (frameSize > 0)
            checks += " in fragments of " + to_string(frameSize);
        cases.push_back({group + '.' + to_string(++number), checks + suffix,
                         [payload, wishes, size = size, frameSize = frameSize] {
                             Script script = answered({}, {});
                             script.rounds = Rounds{payload.binary, size, frameSize, payload.bytes(), wishes};
                             return script;
                         }});
    }
}

std::string described(const DeflateWish &wish)
{
    std::string text;
    if (wish.clientNoContextTakeover)
        text += ", client_no_context_takeover";
    if (wish.clientMaxWindowBits > 0)
        text += ", client_max_window_bits=" + to_string(wish.clientMaxWindowBits);
    return text;
}

} // namespace

void addCompressionCases(std::vector<Case> &cases)
{
    const Payload payloads[] = {
        jsonPayload,
        {"A picture", true, Payloads::bitmap},
        {"Prose", true, Payloads::prose},
        {"HTML", false, Payloads::html},
        {"Packed data", true, Payloads::packed},
    };
    int number = 0;
    for (const Payload &payload : payloads)
        add(cases, "12." + to_string(++number), payload, {}, {DeflateWish()});

    const DeflateWish wishes[] = {{false, 0}, {true, 0}, {false, 9}, {false, 15}, {true, 9}, {true, 15}};
    number = 0;
    for (const DeflateWish &wish : wishes)
        add(cases, "13." + to_string(++number), jsonPayload, described(wish), {wish});
    add(cases, "13.7", jsonPayload, ", the first that the client can do of the above",
        {{true, 9}, {true, 0}, {}});
}
