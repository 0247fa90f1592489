// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QString>
#include <QVariantMap>

class QRegularExpression;

namespace Everwire::UrlTemplate {

// {name}, or its braces percent-encoded; the name is captured.
[[nodiscard]] const QRegularExpression &part();

// The template with its {parts} replaced by values, percent-encoded. A part without a value gives *problem* a sentence
// that names it, and nothing is returned.
[[nodiscard]] EVERWIRE_EXPORT QString fill(const QString &text, const QVariantMap &values, QString *problem);

} // namespace Everwire::UrlTemplate
