// SPDX-License-Identifier: MIT
#include "client/environment.h"

#include "core/logging.h"

namespace Everwire::Environment {

QString variableFor(const QString &type)
{
    QString name = type.toUpper();
    for (QChar &c : name) {
        const bool plain = (c >= QLatin1Char('A') && c <= QLatin1Char('Z')) ||
                           (c >= QLatin1Char('0') && c <= QLatin1Char('9'));
        if (!plain)
            c = QLatin1Char('_');
    }
    return name + QStringLiteral("_WS_URL");
}

ConnectionConfig configurationFor(const QString &type)
{
    const QString name = variableFor(type);
    for (const QString &variable : {name, QStringLiteral("NEXT_PUBLIC_") + name}) {
        const QString url = qEnvironmentVariable(variable.toLatin1().constData()).trimmed();
        if (url.isEmpty())
            continue;
        qCDebug(lcConfig).noquote() << type << "- URL from" << variable;
        return ConnectionConfig().setUrl(url);
    }
    return {};
}

} // namespace Everwire::Environment
