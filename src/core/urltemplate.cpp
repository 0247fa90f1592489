// SPDX-License-Identifier: MIT
#include "core/urltemplate.h"

#include "core/scalartext.h"

#include <QRegularExpression>
#include <QStringList>
#include <QUrl>

namespace Everwire::UrlTemplate {

namespace {

// "." and ".." are not data in a path, and percent-encoding does not make them so (RFC 3986 §5.2.4, §6.2.2.2).
bool hasDotSegment(const QString &url)
{
    const QStringList segments = url.section(QLatin1Char('?'), 0, 0).split(QLatin1Char('/'));
    return segments.contains(QLatin1String(".")) || segments.contains(QLatin1String(".."));
}

} // namespace

const QRegularExpression &part()
{
    static const QRegularExpression theExpression(
        QStringLiteral("(?:\\{|%7B)([A-Za-z_][A-Za-z0-9_.-]*)(?:\\}|%7D)"),
        QRegularExpression::CaseInsensitiveOption);
    return theExpression;
}

QString fill(const QString &text, const QVariantMap &values, QString *problem)
{
    QString filled;
    qsizetype done = 0;
    for (auto it = part().globalMatch(text); it.hasNext();) {
        const auto match = it.next();
        const QString name = match.captured(1);
        const std::optional<QString> scalar = scalarText(values.value(name));
        if (!scalar) {
            *problem = QStringLiteral(
                           "the option for the part {%1} of the URL is neither a text nor a finite number "
                           "nor true or false")
                           .arg(name);
            return {};
        }
        const QString &value = *scalar;
        if (value.isEmpty()) {
            *problem =
                QStringLiteral("the URL has a part {%1} that nothing fills; pass it as options: { %1: … }")
                    .arg(name);
            return {};
        }
        filled += QStringView(text).mid(done, match.capturedStart() - done);
        filled += QString::fromLatin1(QUrl::toPercentEncoding(value));
        done = match.capturedEnd();
    }
    filled += QStringView(text).mid(done);
    if (hasDotSegment(filled) && !hasDotSegment(text)) {
        *problem = QStringLiteral(
            "an option fills a part of the URL with \".\" or \"..\", which leads to another path");
        return {};
    }
    return filled;
}

} // namespace Everwire::UrlTemplate
