// SPDX-License-Identifier: MIT
#include "client/environment.h"

#include "client/environmentfile.h"
#include "core/filepath.h"
#include "core/logging.h"

#include <QFile>

#include <functional>

namespace Everwire::Environment {

namespace {

using Source = std::function<QString(const QString &variable)>;

} // namespace

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

ConnectionConfig configurationFor(const QString &type, const QHash<QString, QString> &fromFiles)
{
    const QString name = variableFor(type);
    const auto fromProcess = [](const QString &variable) {
        return qEnvironmentVariable(variable.toLatin1().constData());
    };
    const auto fromFile = [&fromFiles](const QString &variable) { return fromFiles.value(variable); };
    for (const auto &source : {Source(fromProcess), Source(fromFile)}) {
        for (const QString &variable : {name, QStringLiteral("NEXT_PUBLIC_") + name}) {
            const QString url = source(variable).trimmed();
            if (url.isEmpty())
                continue;
            qCDebug(lcConfig).noquote() << type << "- URL from" << variable;
            return ConnectionConfig().setUrl(url);
        }
    }
    return {};
}

bool readFile(const QString &path, QHash<QString, QString> *values)
{
    const QString local = toFilePath(path);
    if (local.isEmpty()) {
        qCWarning(lcConfig) << "loadEnvironmentFile() needs the file's path";
        return false;
    }
    QFile file(local);
    if (!file.open(QIODevice::ReadOnly)) {
        qCWarning(lcConfig).noquote().nospace()
            << local << ": the environment file could not be read: " << file.errorString();
        return false;
    }
    // One byte more than there may be, for files that do not tell their size.
    const QByteArray bytes = file.read(EnvironmentFile::LargestSize + 1);
    if (bytes.size() > EnvironmentFile::LargestSize) {
        qCWarning(lcConfig).noquote().nospace()
            << local << ": this is no environment file: it is larger than "
            << EnvironmentFile::LargestSize / 1024 << " KiB";
        return false;
    }
    const EnvironmentFile parsed = EnvironmentFile::parse(bytes, [values](const QString &name) {
        const QByteArray key = name.toLatin1();
        return qEnvironmentVariableIsSet(key.constData()) ? qEnvironmentVariable(key.constData())
                                                          : values->value(name);
    });
    for (const EnvironmentFile::Problem &problem : parsed.problems())
        qCWarning(lcConfig).noquote().nospace()
            << local << ":" << problem.line << ": " << problem.what << "; the line is left out";
    values->insert(parsed.values());
    return parsed.problems().isEmpty();
}

} // namespace Everwire::Environment
