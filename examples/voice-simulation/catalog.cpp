// SPDX-License-Identifier: MIT
#include "catalog.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>

using namespace Qt::StringLiterals;

namespace {

QVariantMap readObject(const QString &path)
{
    QFile file(path);
    QJsonParseError error;
    const QJsonDocument document =
        file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll(), &error) : QJsonDocument();
    if (!document.isObject())
        qWarning("%s is left out: %s. Correct the file, which was built into this program from resources/",
                 qUtf8Printable(path),
                 qUtf8Printable(file.isOpen() ? error.errorString() : file.errorString()));
    return document.object().toVariantMap();
}

QString sourceOf(const QVariantMap &recording)
{
    return u":/voice-simulation/audio/"_s + recording.value(u"file"_s).toString();
}

} // namespace

Catalog::Catalog(QObject *parent) : QObject(parent)
{
    const QDir scenarios(u":/voice-simulation/scenarios"_s);
    const QStringList names = scenarios.entryList({u"*.json"_s}, QDir::Files, QDir::Name);
    for (const QString &name : names) {
        const QVariantMap scenario = readObject(scenarios.filePath(name));
        if (!scenario.isEmpty())
            m_scenarios.append(scenario);
    }
    m_recordings = readObject(u":/voice-simulation/audio/recordings.json"_s).value(u"recordings"_s).toList();
}

QVariantMap Catalog::scenario(const QString &id) const
{
    for (const QVariant &entry : m_scenarios) {
        const QVariantMap scenario = entry.toMap();
        if (scenario.value(u"id"_s).toString() == id)
            return scenario;
    }
    return {};
}

QString Catalog::firstRole(const QString &id) const
{
    const QVariantList roles = scenario(id).value(u"roles"_s).toList();
    return roles.isEmpty() ? QString() : roles.first().toMap().value(u"id"_s).toString();
}

QVariantList Catalog::recordings(const QString &scenario) const
{
    QVariantList found;
    for (const QVariant &entry : m_recordings) {
        QVariantMap recording = entry.toMap();
        if (recording.value(u"scenario"_s).toString() != scenario)
            continue;
        recording.insert(u"source"_s, sourceOf(recording));
        found.append(recording);
    }
    return found;
}

QString Catalog::wordsOf(const QString &source) const
{
    for (const QVariant &entry : m_recordings) {
        const QVariantMap recording = entry.toMap();
        if (sourceOf(recording) == source)
            return recording.value(u"text"_s).toString();
    }
    return {};
}
