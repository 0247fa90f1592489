// SPDX-License-Identifier: MIT
#include "casebuilding.h"

using std::to_string;

namespace {

const QByteArray hello = "Hello World!";

Step sendClose(const QByteArray &payload)
{
    return {Step::SendClose, frame(Close, payload)};
}

// The server's Close frame is among the steps. The client answers with one of the codes, or with none.
Script closed(std::vector<Step> steps, QList<int> codes = {1000}, bool clean = true)
{
    Script script;
    script.steps = std::move(steps);
    script.end = {true, clean, std::move(codes)};
    script.sendsClose = true;
    script.fatalEnding = Ending::WrongCode;
    return script;
}

// A Close frame that is itself wrong: dropping the connection without an answer is right too.
Script closedBadly(const QByteArray &payload, QList<int> codes = {1002})
{
    return closed({sendClose(payload)}, std::move(codes), false);
}

Script messageThenClose()
{
    Script script = answered({send(frame(Text, hello))}, {{Event::Text, hello}});
    script.fatalEnding = Ending::WrongCode;
    return script;
}

Script largeMessageThenClose()
{
    Script script = closed({send(frame(Text, repeated("BAsd7&jh23", 256 * 1024))), send(frame(Text, hello)),
                            sendClose(closePayload(1000)), send(frame(Ping))});
    script.expected = {{Event::Text, hello}};
    script.informational = true;
    return script;
}

Script undefinedCode(int code)
{
    Script script = closedBadly(closePayload(code), {1000, 1002, code});
    script.informational = true;
    return script;
}

} // namespace

void addCloseCases(std::vector<Case> &cases)
{
    const QByteArray normal = closePayload(1000);
    const QByteArray invalidUtf8 = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
                                   "edited";
    cases.insert(
        cases.end(),
        {
            {"7.1.1", "A text, and Close once its echo is there", messageThenClose},
            {"7.1.2", "A second Close frame is ignored",
             [=] {
                 return closed({sendClose(normal), send(frame(Close))});
             }},
            {"7.1.3", "A ping after Close is ignored",
             [=] {
                 return closed({sendClose(normal), send(frame(Ping))});
             }},
            {"7.1.4", "A text after Close is ignored",
             [=] {
                 return closed({sendClose(normal), send(frame(Text, hello))});
             }},
            {"7.1.5", "Close between two fragments of a text",
             [=] {
                 return closed({send(frame(Text, "fragment1", false)), sendClose(normal),
                                send(frame(Continuation, "fragment2"))});
             }},
            {"7.1.6", "256 KiB of text, a short one, Close and a ping at once", largeMessageThenClose},
            {"7.3.1", "Close without payload", [] { return closed({sendClose({})}); }},
            {"7.3.2", "Close with a payload of one byte", [] { return closedBadly("a"); }},
            {"7.3.3", "Close with a code", [=] { return closed({sendClose(normal)}); }},
            {"7.3.4", "Close with a code and a reason",
             [=] { return closed({sendClose(closePayload(1000, hello))}); }},
            {"7.3.5", "Close with a reason of 123 bytes, the most that fit",
             [=] { return closed({sendClose(closePayload(1000, QByteArray(123, '*')))}); }},
            {"7.3.6", "Close with a reason of 124 bytes, which is too long",
             [=] { return closedBadly(closePayload(1000, QByteArray(124, '*'))); }},
            {"7.5.1", "Close with a reason that is no UTF-8",
             [=] {
                 return closedBadly(closePayload(1000, invalidUtf8), {1002, 1007});
             }},
        });
    int number = 0;
    for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999})
        cases.push_back(
            {"7.7." + to_string(++number), "Close with the valid code " + to_string(code), [code] {
                 return closed({sendClose(closePayload(code))}, {1000, code});
             }});
    number = 0;
    for (const int code : {0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999})
        cases.push_back({"7.9." + to_string(++number), "Close with the invalid code " + to_string(code),
                         [code] { return closedBadly(closePayload(code)); }});
    cases.push_back({"7.13.1", "Close with code 5000", [] { return undefinedCode(5000); }});
    cases.push_back({"7.13.2", "Close with code 65535", [] { return undefinedCode(65535); }});
}
