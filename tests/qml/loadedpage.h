// SPDX-License-Identifier: MIT
#pragma once

#include <QQmlComponent>
#include <QQmlEngine>

#include <memory>

// An engine of its own with one object in it, made from QML text.
struct LoadedPage
{
    explicit LoadedPage(const QByteArray &source)
    {
        engine.addImportPath(QStringLiteral(EVERWIRE_QML_DIR));
        QQmlComponent component(&engine);
        component.setData(source, QUrl(QStringLiteral("page.qml")));
        root.reset(component.create());
        if (!root)
            qFatal("%s", qPrintable(component.errorString()));
    }

    QQmlEngine engine;
    std::unique_ptr<QObject> root;
};
