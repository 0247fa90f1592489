// SPDX-License-Identifier: MIT
#pragma once

#include <QDateTime>
#include <QJsonObject>

// What the streams say, a message for each step from 0: the same at every run, but for the timestamps.
namespace Everwire::Demo::Content {

// Those before the first live one: what a user has missed.
inline constexpr int missedNotifications = 5;

// The first missedNotifications are hours and days older than started, the others are of now.
[[nodiscard]] QJsonObject notification(int step, const QDateTime &started, const QDateTime &now);

// "progress" from 0 to 100 percent, "complete" with a score, a pause (an empty object), and then the next.
[[nodiscard]] QJsonObject assessment(int step);

[[nodiscard]] QJsonObject price(int step);

} // namespace Everwire::Demo::Content
