// SPDX-License-Identifier: MIT
#include "content.h"

#include <array>
#include <cmath>

namespace Everwire::Demo::Content {

using namespace Qt::StringLiterals;

namespace {

struct Text
{
    const char *title;
    const char *message;
};

constexpr std::array<Text, missedNotifications> missed{{
    {"Microphone check", "Your last two turns were quiet. Move a little closer."},
    {"Your weekly summary is ready",
     "5 sessions, 42 minutes of speech. Your pace is steadier than last week."},
    {"Priya Raman shared a scenario", "\"Renewal with a sceptical CFO\" is now in your library."},
    {"Jonas Weber joined your group", "He starts with \"Feature demo\" today."},
    {"Objection handling: assessed", "You asked four open questions. Listen again to how you closed."},
}};
constexpr std::array<int, missedNotifications> hoursAgo{75, 26, 7, 3, 1};

constexpr std::array<Text, 10> live{{
    {"Daniel Okafor mentioned you", "\"Could you look at my opening? I think it is too long.\""},
    {"Practice at 15:00", "Clinical consultation with Dr Lindqvist, 20 minutes."},
    {"Feature demo: assessed", "Score 84. You showed the benefit before the feature."},
    {"New comment on your recording", "Mei Tanaka at 02:14: \"Good silence here.\""},
    {"Three days in a row", "One more session today keeps your streak."},
    {"Team goal reached", "Your team finished 20 sessions this week."},
    {"Recording kept for 7 days", "\"Pricing conversation\" will be deleted on Friday unless you save it."},
    {"Sofia Marin accepted your invitation", "She joins your group for negotiation training."},
    {"Scenario updated", "\"Objection handling\" has a new partner: the impatient founder."},
    {"Library: two new scenarios", "\"Late delivery\" and \"The second opinion\"."},
}};

constexpr std::array<const char *, 5> assessmentSteps{"Reading the recording", "Writing the transcript",
                                                      "Measuring pace and pauses", "Comparing with the goals",
                                                      "Writing the feedback"};
constexpr int progressMessages = 51; // 0, 2 … 100 percent
constexpr int assessmentRound = progressMessages + 1 + 20;

// In [0, 1): no two neighbours alike, always the same.
double noise(int n)
{
    const double x = std::sin(n * 12.9898) * 43758.5453;
    return x - std::floor(x);
}

} // namespace

QJsonObject notification(int step, const QDateTime &started, const QDateTime &now)
{
    const bool isMissed = step < missedNotifications;
    const Text text =
        isMissed ? missed[size_t(step)] : live[size_t(step - missedNotifications) % live.size()];
    const QDateTime time = isMissed ? started.addSecs(-3600 * hoursAgo[size_t(step)]) : now;
    return {{u"type"_s, u"notification"_s},
            {u"id"_s, u"ntf-%1"_s.arg(step + 1, 4, 10, QChar(u'0'))},
            {u"title"_s, QString::fromUtf8(text.title)},
            {u"message"_s, QString::fromUtf8(text.message)},
            {u"timestamp"_s, time.toString(Qt::ISODateWithMs)}};
}

QJsonObject assessment(int step)
{
    const int number = step / assessmentRound + 1;
    const int place = step % assessmentRound;
    const QString id = u"asm-%1"_s.arg(number, 3, 10, QChar(u'0'));
    if (place > progressMessages)
        return {};
    if (place == progressMessages)
        return {{u"type"_s, u"complete"_s}, {u"assessment_id"_s, id}, {u"score"_s, 70 + 11 * number % 27}};
    const int percent = 100 * place / (progressMessages - 1);
    const size_t phase = size_t(percent) * assessmentSteps.size() / 101;
    return {{u"type"_s, u"progress"_s},
            {u"assessment_id"_s, id},
            {u"step"_s, QString::fromUtf8(assessmentSteps[phase])},
            {u"percent"_s, percent}};
}

QJsonObject price(int step)
{
    const double value = 184 + 3.2 * std::sin(step / 190.0) + 1.1 * std::sin(step / 41.0) +
                         0.4 * std::sin(step / 9.0) + 0.2 * noise(step);
    return {{u"type"_s, u"price"_s}, {u"symbol"_s, u"EVW"_s}, {u"value"_s, std::round(100 * value) / 100}};
}

} // namespace Everwire::Demo::Content
