// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QtQml/qqmlregistration.h>
#include <QVariantList>

// What this app brings along: the scenarios that the server knows, too, and recordings to speak with where
// there is no microphone.
class Catalog : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    QML_SINGLETON
    // Each {id, title, description, simulation_type, roles: [{id, name, persona}], beats: [{id, goal}]}.
    Q_PROPERTY(QVariantList scenarios READ scenarios CONSTANT FINAL)

public:
    explicit Catalog(QObject *parent = nullptr);

    [[nodiscard]] QVariantList scenarios() const { return m_scenarios; }
    // An empty map where there is none.
    Q_INVOKABLE [[nodiscard]] QVariantMap scenario(const QString &id) const;
    // The id of the scenario's first role.
    Q_INVOKABLE [[nodiscard]] QString firstRole(const QString &id) const;
    // Each {source, title, text}; source is a file's path.
    Q_INVOKABLE [[nodiscard]] QVariantList recordings(const QString &scenario) const;
    // What is said in the recording at this path; empty for a microphone.
    Q_INVOKABLE [[nodiscard]] QString wordsOf(const QString &source) const;

private:
    QVariantList m_scenarios;
    QVariantList m_recordings;
};
