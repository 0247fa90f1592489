// SPDX-License-Identifier: MIT
#include "casebuilding.h"

using std::to_string;

namespace {

// "κόσμε", Markus Kuhn's example of UTF-8
const QByteArray kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
const QByteArray edited = "edited";
// "Hello-µ@ßöäüàá-UTF-8!!", cut at a code point
const QByteArray mixed1 = "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4";
const QByteArray mixed2 = "\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!";

Script echoed(const QByteArray &payload, qsizetype frameSize = 0)
{
    return answered({send(message(Text, payload, frameSize))}, {{Event::Text, payload}});
}

// A client that lets the server close has not seen that the text is wrong.
Script refused(std::vector<Step> steps)
{
    Script script = failed(std::move(steps), 1007);
    script.fatalEnding = Ending::WrongSide;
    return script;
}

// The text in three parts with time to react after the first two. A client that fails the connection after the
// second is as fast as can be; one that waits for the last is not strict.
Script failFast(const std::vector<Step> &parts)
{
    Script script = refused({parts[0], {Step::AwaitEnd, {}}, parts[1], {Step::AwaitEnd, {}}, parts[2]});
    script.expected = {{Event::Silence, {}}};
    script.nonStrict = {{Event::Silence, {}}, {Event::Silence, {}}};
    return script;
}

Script inThreeFrames(const QByteArray &first, const QByteArray &second, const QByteArray &third)
{
    return failFast({send(frame(Text, first, false)), send(frame(Continuation, second, false)),
                     send(frame(Continuation, third))});
}

Script inOneFrame(const QByteArray &first, const QByteArray &second, const QByteArray &third)
{
    const QByteArray whole = frame(Text, first + second + third);
    const qsizetype tail = second.size() + third.size();
    return failFast({send(whole.chopped(tail)), send(second), send(third)});
}

void addFailFast(std::vector<Case> &cases)
{
    // Beyond U+10FFFF, which its second byte shows
    const QByteArray tooHigh = "\xf4\x90\x80\x80";
    const QByteArray upTo = kosme + tooHigh.left(1);
    const QByteArray byte = tooHigh.mid(1, 1);
    const QByteArray rest = tooHigh.mid(2) + edited;
    cases.insert(cases.end(),
                 {
                     {"6.4.1", "Fails fast: the second of three fragments is invalid",
                      [tooHigh] { return inThreeFrames(kosme, tooHigh, edited); }},
                     {"6.4.2", "Fails fast: the second fragment is the one invalid byte",
                      [=] { return inThreeFrames(upTo, byte, rest); }},
                     {"6.4.3", "Fails fast within a frame: its second part is invalid",
                      [tooHigh] { return inOneFrame(kosme, tooHigh, edited); }},
                     {"6.4.4", "Fails fast within a frame: its second part is the one invalid byte",
                      [=] { return inOneFrame(upTo, byte, rest); }},
                 });
}

void addFragmented(std::vector<Case> &cases)
{
    const QByteArray invalid = kosme + "\xed\xa0\x80" + edited; // a surrogate
    cases.insert(
        cases.end(),
        {
            {"6.1.1", "A text of no bytes", [] { return echoed({}); }},
            {"6.1.2", "A text of three fragments of no bytes",
             [] {
                 return answered({send(frame(Text, {}, false)), send(frame(Continuation, {}, false)),
                                  send(frame(Continuation))},
                                 {{Event::Text, {}}});
             }},
            {"6.1.3", "A text of three fragments, all but the middle one of no bytes",
             [] {
                 const QByteArray payload = "middle frame payload";
                 return answered({send(frame(Text, {}, false)), send(frame(Continuation, payload, false)),
                                  send(frame(Continuation))},
                                 {{Event::Text, payload}});
             }},
            {"6.2.1", "Valid UTF-8 in one frame", [] { return echoed(mixed1 + mixed2); }},
            {"6.2.2", "Valid UTF-8 in two fragments, cut at a code point",
             [] {
                 return answered({send(frame(Text, mixed1, false)), send(frame(Continuation, mixed2))},
                                 {{Event::Text, mixed1 + mixed2}});
             }},
            {"6.2.3", "Valid UTF-8 in fragments of one byte", [] { return echoed(mixed1 + mixed2, 1); }},
            {"6.2.4", "Valid UTF-8 in fragments of one byte (another text)", [] { return echoed(kosme, 1); }},
            {"6.3.1", "Invalid UTF-8 in one frame",
             [invalid] { return refused({send(message(Text, invalid))}); }},
            {"6.3.2", "Invalid UTF-8 in fragments of one byte",
             [invalid] { return refused({send(message(Text, invalid, 1))}); }},
        });
}

struct Sequences
{
    const char *what;
    bool valid;
    std::vector<QByteArray> texts;
};

std::vector<QByteArray> prefixesOf(const QByteArray &text)
{
    std::vector<QByteArray> prefixes;
    for (qsizetype size = 1; size <= text.size(); ++size)
        prefixes.push_back(text.left(size));
    return prefixes;
}

// Each byte of the range, with what follows it.
QByteArray bytesFrom(int first, int last, const QByteArray &after = {})
{
    QByteArray bytes;
    for (int byte = first; byte <= last; ++byte)
        bytes.append(char(byte)).append(after);
    return bytes;
}

// U+nFFFE and U+nFFFF of each plane
std::vector<QByteArray> nonCharacters()
{
    std::vector<QByteArray> texts;
    for (char32_t plane = 0; plane <= 16; ++plane) {
        for (const char32_t last : {0xfffeU, 0xffffU}) {
            const char32_t codePoint = plane << 16 | last;
            texts.push_back(QString::fromUcs4(&codePoint, 1).toUtf8());
        }
    }
    return texts;
}

// Sequences of one to six bytes that lack their last one
const std::vector<QByteArray> incomplete = {
    "\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
    "\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"};

QByteArray joined(const std::vector<QByteArray> &texts)
{
    QByteArray all;
    for (const QByteArray &text : texts)
        all += text;
    return all;
}

// After Kuhn's UTF-8 stress test. One entry is one group, 6.5 and on; where a group has both kinds, two entries
// that have the same name.
std::vector<Sequences> sequences()
{
    return {
        {"Valid sequences",
         true,
         {"hello$world", "hello\xc2\xa2world", "hello\xe2\x82\xacworld", "hello\xf0\xa4\xad\xa2world",
          kosme}},
        {"The beginning of a valid text", true, prefixesOf(kosme)}, // those within a code point are invalid
        {"First code point of its length",
         true,
         {QByteArray(1, '\0'), "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"}},
        {"First sequence of five and six bytes", false, {"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"}},
        {"Last code point of its length", true, {"\x7f", "\xdf\xbf", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}},
        {"Last sequence of four, five and six bytes",
         false,
         {"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"}},
        {"Next to a boundary", true, {"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf"}},
        {"Next to a boundary", false, {"\xf4\x90\x80\x80"}},
        {"Continuation bytes that continue nothing",
         false,
         {"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80",
          "\x80\xbf\x80\xbf\x80\xbf", bytesFrom(0x80, 0xbe)}},
        {"First bytes that nothing continues",
         false,
         {bytesFrom(0xc0, 0xde, " "), bytesFrom(0xe0, 0xee, " "), bytesFrom(0xf0, 0xf6, " "),
          bytesFrom(0xf8, 0xfa, " "), bytesFrom(0xfc, 0xfc, " ")}},
        {"The last continuation byte is missing", false, incomplete},
        {"One incomplete sequence after the other", false, {joined(incomplete)}},
        {"Impossible bytes", false, {"\xfe", "\xff", "\xfe\xfe\xff\xff"}},
        {"A slash in more bytes than it needs",
         false,
         {"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf",
          "\xfc\x80\x80\x80\x80\xaf"}},
        {"Last code point of a length in one more byte than it needs",
         false,
         {"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf",
          "\xfc\x83\xbf\xbf\xbf\xbf"}},
        {"NUL in more bytes than it needs",
         false,
         {"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80",
          "\xfc\x80\x80\x80\x80\x80"}},
        {"A surrogate",
         false,
         {"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80",
          "\xed\xbf\xbf"}},
        {"A pair of surrogates",
         false,
         {"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80",
          "\xed\xad\xbf\xed\xbf\xbf", "\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf",
          "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf"}},
        {"A code point that is no character", true, nonCharacters()},
        {"A special code point",
         true,
         {"\xef\xbf\xb9", "\xef\xbf\xba", "\xef\xbf\xbb", "\xef\xbf\xbc", "\xef\xbf\xbd", "\xef\xbf\xbe",
          "\xef\xbf\xbf"}},
    };
}

// Whether the first bytes of kosme are whole code points.
bool isWhole(const QByteArray &prefix)
{
    const qsizetype size = prefix.size();
    return size == kosme.size() || (uchar(kosme[size]) & 0xc0) != 0x80;
}

void addSequences(std::vector<Case> &cases)
{
    int group = 4;
    int number = 0;
    std::string before;
    for (const Sequences &entry : sequences()) {
        if (before != entry.what) {
            ++group;
            number = 0;
        }
        before = entry.what;
        for (const QByteArray &text : entry.texts) {
            const bool valid = entry.valid && (group != 6 || isWhole(text));
            const QByteArray hex = text.size() > 24 ? text.left(24).toHex() + "…" : text.toHex();
            cases.push_back(
                {"6." + to_string(group) + '.' + to_string(++number),
                 std::string(entry.what) + (valid ? ", valid: " : ", invalid: ") + hex.toStdString(),
                 [text, valid] { return valid ? echoed(text) : refused({send(message(Text, text))}); }});
        }
    }
}

} // namespace

void addUtf8Cases(std::vector<Case> &cases)
{
    addFragmented(cases);
    addFailFast(cases);
    addSequences(cases);
}
