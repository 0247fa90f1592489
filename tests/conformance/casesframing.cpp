// SPDX-License-Identifier: MIT
#include "casebuilding.h"

using std::to_string;

namespace {

const QByteArray hello = "Hello, world!";
const QByteArray notUtf8 = QByteArray("\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
const Event echoOfHello = {Event::Text, hello};

// 1: one message of each size at which the frame's length is written differently, and one that comes in pieces.
void addSizes(std::vector<Case> &cases, const std::string &group, bool binary)
{
    constexpr struct
    {
        qsizetype size;
        qsizetype chop;
    } sizes[] = {{0, 0}, {125, 0}, {126, 0}, {127, 0}, {128, 0}, {65535, 0}, {65536, 0}, {65536, 997}};
    int number = 0;
    for (const auto [size, chop] : sizes) {
        std::string checks = (binary ? "A binary message of " : "A text of ") + to_string(size) + " bytes";
        if (chop > 0)
            checks += ", arriving in pieces of " + to_string(chop);
        cases.push_back({group + '.' + to_string(++number), checks, [binary, size = size, chop = chop] {
                             const QByteArray payload(size, binary ? '\xfe' : '*');
                             return answered({send(frame(binary ? Binary : Text, payload), chop)},
                                             {{binary ? Event::Binary : Event::Text, payload}});
                         }});
    }
}

Script pinged(const QByteArray &payload, qsizetype chop = 0)
{
    return answered({send(frame(Ping, payload), chop)}, {{Event::Pong, payload}});
}

// Nothing may come back before the Close frame.
Script strayPong(const QByteArray &payload)
{
    Script script =
        answered({send(frame(Pong, payload)), {Step::SendClose, frame(Close, closePayload(1000))}}, {});
    script.sendsClose = true;
    return script;
}

Script tenPings(qsizetype chop)
{
    Script script = answered({}, {});
    for (int i = 0; i < 10; ++i) {
        const QByteArray payload = "payload-" + QByteArray::number(i);
        script.steps.push_back(send(frame(Ping, payload), chop));
        script.expected.push_back({Event::Pong, payload});
    }
    return script;
}

void addPings(std::vector<Case> &cases)
{
    cases.insert(cases.end(),
                 {
                     {"2.1", "A ping without payload", [] { return pinged({}); }},
                     {"2.2", "A ping with text", [] { return pinged(hello); }},
                     {"2.3", "A ping with bytes that are no UTF-8", [] { return pinged(notUtf8); }},
                     {"2.4", "A ping of 125 bytes", [] { return pinged(QByteArray(125, '\xfe')); }},
                     {"2.5", "A ping of 126 bytes, which is too long",
                      [] { return failed({send(frame(Ping, QByteArray(126, '\xfe')))}); }},
                     {"2.6", "A ping of 125 bytes, arriving byte by byte",
                      [] { return pinged(QByteArray(125, '\xfe'), 1); }},
                     {"2.7", "A pong nobody asked for, without payload", [] { return strayPong({}); }},
                     {"2.8", "A pong nobody asked for, with payload",
                      [] { return strayPong("unsolicited pong payload"); }},
                     {"2.9", "A pong nobody asked for, then a ping",
                      [] {
                          return answered({send(frame(Pong, "unsolicited pong payload")),
                                           send(frame(Ping, "ping payload"))},
                                          {{Event::Pong, "ping payload"}});
                      }},
                     {"2.10", "Ten pings at once", [] { return tenPings(0); }},
                     {"2.11", "Ten pings, arriving byte by byte", [] { return tenPings(1); }},
                 });
}

// A good message, then the bad frame, then a ping that must not be answered any more.
Script failedAfterHello(const QByteArray &badFrame, qsizetype chop = 0)
{
    return failed({send(frame(Text, hello), chop), send(badFrame, chop), send(frame(Ping), chop)}, 1002,
                  {echoOfHello});
}

void addReservedBits(std::vector<Case> &cases)
{
    cases.insert(
        cases.end(),
        {
            {"3.1", "A text with RSV3 set", [] { return failed({send(frame(Text, hello, true, 1))}); }},
            {"3.2", "A text, one with RSV2 set, a ping",
             [] { return failedAfterHello(frame(Text, hello, true, 2)); }},
            {"3.3", "A text, one with RSV2 and RSV3 set, a ping, arriving frame by frame",
             [] { return failedAfterHello(frame(Text, hello, true, 3), WholeFrame); }},
            {"3.4", "A text, one with RSV1 set, a ping, arriving byte by byte",
             [] { return failedAfterHello(frame(Text, hello, true, 4), 1); }},
            {"3.5", "A binary message with RSV1 and RSV3 set",
             [] { return failed({send(frame(Binary, notUtf8, true, 5))}); }},
            // Autobahn calls it a ping, and sends this.
            {"3.6", "A binary message with RSV1 and RSV2 set",
             [] { return failed({send(frame(Binary, hello, true, 6))}); }},
            {"3.7", "A Close frame with all RSV bits set",
             [] { return failed({send(frame(Close, {}, true, 7))}); }},
        });
}

void addOpcodes(std::vector<Case> &cases, const std::string &group, int first)
{
    const auto id = [&group](int number) { return group + '.' + to_string(number); };
    const auto name = [first](int more) { return "reserved opcode " + to_string(first + more); };
    const QByteArray payload = "reserved opcode payload";
    cases.insert(
        cases.end(),
        {
            {id(1), "A frame with " + name(0), [first] { return failed({send(frame(first))}); }},
            {id(2), "A frame with " + name(1) + " and payload",
             [first, payload] { return failed({send(frame(first + 1, payload))}); }},
            {id(3), "A text, a frame with " + name(2) + ", a ping",
             [first] { return failedAfterHello(frame(first + 2)); }},
            {id(4), "A text, a frame with " + name(3) + " and payload, a ping",
             [first] { return failedAfterHello(frame(first + 3, hello)); }},
            {id(5), "A text, a frame with " + name(4) + " and payload, a ping, arriving byte by byte",
             [first] { return failedAfterHello(frame(first + 4, hello), 1); }},
        });
}

QByteArray fragment(int number)
{
    return "fragment" + QByteArray::number(number);
}

Script twoFragments(qsizetype chop)
{
    return answered(
        {send(frame(Text, fragment(1), false), chop), send(frame(Continuation, fragment(2)), chop)},
        {{Event::Text, fragment(1) + fragment(2)}});
}

Script pingAmongFragments(qsizetype chop)
{
    const QByteArray ping = "ping payload";
    return answered({send(frame(Text, fragment(1), false), chop), send(frame(Ping, ping), chop),
                     send(frame(Continuation, fragment(2)), chop)},
                    {{Event::Pong, ping}, {Event::Text, fragment(1) + fragment(2)}});
}

Script nothingToContinue(bool fin, qsizetype chop)
{
    return failed(
        {send(frame(Continuation, "non-continuation payload", fin), chop), send(frame(Text, hello), chop)});
}

Script nothingToContinueTwice(bool fin)
{
    std::vector<Step> steps;
    for (int i = 0; i < 2; ++i) {
        steps.push_back(send(frame(Continuation, fragment(1), fin)));
        steps.push_back(send(frame(Text, fragment(2), false)));
        steps.push_back(send(frame(Continuation, fragment(3))));
    }
    return failed(std::move(steps));
}

// Autobahn waits a second in the middle; the first pong, which must not wait for the message, tells as well.
Script pingsAmongFiveFragments(qsizetype chop)
{
    const QByteArray pings[] = {"pongme 1!", "pongme 2!"};
    QByteArray whole;
    for (int i = 1; i <= 5; ++i)
        whole += fragment(i);
    return answered({send(frame(Text, fragment(1), false), chop),
                     send(frame(Continuation, fragment(2), false), chop),
                     send(frame(Ping, pings[0]), chop),
                     {Step::AwaitEvent, {}},
                     send(frame(Continuation, fragment(3), false), chop),
                     send(frame(Continuation, fragment(4), false), chop),
                     send(frame(Ping, pings[1]), chop),
                     send(frame(Continuation, fragment(5)), chop)},
                    {{Event::Pong, pings[0]}, {Event::Pong, pings[1]}, {Event::Text, whole}});
}

void addFragmentation(std::vector<Case> &cases)
{
    cases.insert(
        cases.end(),
        {
            {"5.1", "A ping in two fragments",
             [] {
                 return failed(
                     {send(frame(Ping, fragment(1), false)), send(frame(Continuation, fragment(2)))});
             }},
            {"5.2", "A pong in two fragments",
             [] {
                 return failed(
                     {send(frame(Pong, fragment(1), false)), send(frame(Continuation, fragment(2)))});
             }},
            {"5.3", "A text in two fragments", [] { return twoFragments(0); }},
            {"5.4", "A text in two fragments, arriving frame by frame",
             [] { return twoFragments(WholeFrame); }},
            {"5.5", "A text in two fragments, arriving byte by byte", [] { return twoFragments(1); }},
            {"5.6", "A text in two fragments with a ping between", [] { return pingAmongFragments(0); }},
            {"5.7", "A text in two fragments with a ping between, arriving frame by frame",
             [] { return pingAmongFragments(WholeFrame); }},
            {"5.8", "A text in two fragments with a ping between, arriving byte by byte",
             [] { return pingAmongFragments(1); }},
            {"5.9", "A last fragment of nothing, then a text", [] { return nothingToContinue(true, 0); }},
            {"5.10", "A last fragment of nothing, then a text, arriving frame by frame",
             [] { return nothingToContinue(true, WholeFrame); }},
            {"5.11", "A last fragment of nothing, then a text, arriving byte by byte",
             [] { return nothingToContinue(true, 1); }},
            {"5.12", "A middle fragment of nothing, then a text", [] { return nothingToContinue(false, 0); }},
            {"5.13", "A middle fragment of nothing, then a text, arriving frame by frame",
             [] { return nothingToContinue(false, WholeFrame); }},
            {"5.14", "A middle fragment of nothing, then a text, arriving byte by byte",
             [] { return nothingToContinue(false, 1); }},
            {"5.15", "A text in two fragments, a middle fragment of nothing, a text",
             [] {
                 return failed({send(frame(Text, fragment(1), false)), send(frame(Continuation, fragment(2))),
                                send(frame(Continuation, fragment(3), false)),
                                send(frame(Text, fragment(4)))},
                               1002, {{Event::Text, fragment(1) + fragment(2)}});
             }},
            {"5.16", "Twice: a middle fragment of nothing, then a text in two fragments",
             [] { return nothingToContinueTwice(false); }},
            {"5.17", "Twice: a last fragment of nothing, then a text in two fragments",
             [] { return nothingToContinueTwice(true); }},
            {"5.18", "A second text before the first one's last fragment",
             [] {
                 return failed({send(frame(Text, fragment(1), false)), send(frame(Text, fragment(2)))});
             }},
            {"5.19", "A text in five fragments with two pings, the first answered before the text is whole",
             [] { return pingsAmongFiveFragments(0); }},
            {"5.20", "As 5.19, arriving frame by frame", [] { return pingsAmongFiveFragments(WholeFrame); }},
        });
}

} // namespace

void addFramingCases(std::vector<Case> &cases)
{
    addSizes(cases, "1.1", false);
    addSizes(cases, "1.2", true);
    addPings(cases);
    addReservedBits(cases);
    addOpcodes(cases, "4.1", 3);
    addOpcodes(cases, "4.2", 11);
    addFragmentation(cases);
}

void addAutoFragmentationCase(std::vector<Case> &cases)
{
    cases.push_back({"10.1.1", "A text of 65536 bytes in 51 fragments of at most 1300", [] {
                         const QByteArray payload(65536, '*');
                         return answered({send(message(Text, payload, 1300))}, {{Event::Text, payload}});
                     }});
}
