// SPDX-License-Identifier: MIT
#pragma once

#include "speechmeasure.h"

#include <QHash>
#include <QString>
#include <QStringList>

#include <optional>

namespace Everwire::Demo {

/// A small number in words ("two"), a larger one in digits.
[[nodiscard]] QString numberInWords(int number);

/// For example "two pauses over half a second"; \a seconds is the length that counts as long.
[[nodiscard]] QString pausePhrase(int count, double seconds);

/// How a turn compares with the one before, for example "louder than last time".
[[nodiscard]] QString trendPhrase(const SpeechMeasure &now, const std::optional<SpeechMeasure> &before);

/// Replaces each `{name}` in \a text by its value; names without a value stay as they are.
[[nodiscard]] QString fillPlaceholders(const QString &text, const QHash<QString, QString> &values);

/// Cuts \a text between words into pieces of about \a length characters that concatenate to it:
/// two at least when there is more than one word.
[[nodiscard]] QStringList splitIntoParts(const QString &text, int length = 48);

} // namespace Everwire::Demo
