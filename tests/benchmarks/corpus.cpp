// SPDX-License-Identifier: MIT
#include "corpus.h"

#include <QList>
#include <QString>

#include <algorithm>
#include <random>
#include <string_view>

namespace Bench {

namespace {

constexpr std::string_view Words =
    "thank you for calling how can I help today understand that this is let me look up für Sie heraus einen "
    "kleinen Moment bitte das können wir ändern la réservation est à partir de demain delivery was late "
    "予約を確認します 少々お待ちください and am sorry about it we will send refund to your account 👍 would "
    "like speak "
    "with manager before end of week order number please then says here course last invoice Grüße aus "
    "München "
    "naïve café twenty-four hours could repeat so customer agreed new price which fine what happened next? "
    "Ich "
    "höre Ihnen zu, go on no problem at all address street payment Überweisung delivered tomorrow morning";

// *size* bytes of talk, about as dense as what people say: deflate makes a fifth of an event at level 6. What is left
// at its end is ASCII, so that no character is cut.
QByteArray talk(int size, std::minstd_rand &random)
{
    static const QList<QByteArray> words = QByteArray(Words.data(), qsizetype(Words.size())).split(' ');
    QByteArray text;
    while (true) {
        const QByteArray next = words[qsizetype(random() % size_t(words.size()))] + ' ';
        if (text.size() + next.size() > size)
            break;
        text += next;
    }
    while (text.size() < size)
        text += char('a' + random() % 26);
    return text;
}

QByteArray event(int size, int number, std::minstd_rand &random)
{
    const QByteArray head = R"({"type":"ai_response","content":")";
    const QString time = QStringLiteral("%1:%2.%3")
                             .arg(number / 60 % 60, 2, 10, QLatin1Char('0'))
                             .arg(number % 60, 2, 10, QLatin1Char('0'))
                             .arg(random() % 1000, 3, 10, QLatin1Char('0'));
    const QByteArray tail = R"(","timestamp":"2026-01-28T10:)" + time.toLatin1() + R"(Z","isFinal":)" +
                            (random() % 4 == 0 ? "true " : "false") + R"(,"turn":{"n":)" +
                            QByteArray::number(1000 + number) +
                            R"(,"by":{"name":"Zoë"}},"sessionId":"sess_5f2c91d07ab3"})";
    return head + talk(int(size - head.size() - tail.size()), random) + tail;
}

} // namespace

int corpusSize(int size)
{
    return std::clamp(1024 * 1024 / size, 16, 1024);
}

std::vector<QByteArray> events(int size, int count)
{
    std::minstd_rand random(1);
    std::vector<QByteArray> all;
    all.reserve(size_t(count));
    for (int i = 0; i < count; ++i)
        all.push_back(event(size, i, random));
    return all;
}

std::vector<QByteArray> noise(int size, int count)
{
    std::mt19937 random(1);
    std::vector<QByteArray> all;
    all.reserve(size_t(count));
    for (int i = 0; i < count; ++i) {
        QByteArray bytes(size, Qt::Uninitialized);
        for (char &byte : bytes)
            byte = char(random());
        all.push_back(bytes);
    }
    return all;
}

} // namespace Bench
