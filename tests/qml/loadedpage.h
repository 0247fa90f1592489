// SPDX-License-Identifier: MIT
#pragma once

#include <QQmlComponent>
#include <QQmlEngine>
#include <QSaveFile>
#include <QTemporaryDir>

#include <memory>

// An engine of its own with one object in it, made from QML text. The text lies in a file, because Qt 6.8 looks by the URL
// for the inline components of a text.
struct LoadedPage
{
    explicit LoadedPage(const QByteArray &source)
    {
        engine.addImportPath(QStringLiteral(EVERWIRE_QML_DIR));
        const QString path = folder.filePath(QStringLiteral("page.qml"));
        QSaveFile file(path);
        if (!file.open(QIODevice::WriteOnly) || file.write(source) != source.size() || !file.commit())
            qFatal("%s: %s", qPrintable(path), qPrintable(file.errorString()));
        QQmlComponent component(&engine, QUrl::fromLocalFile(path));
        root.reset(component.create());
        if (!root)
            qFatal("%s", qPrintable(component.errorString()));
    }

    QTemporaryDir folder;
    QQmlEngine engine;
    std::unique_ptr<QObject> root;
};
