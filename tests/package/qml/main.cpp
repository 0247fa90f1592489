// SPDX-License-Identifier: MIT
// qml-consumer IMPORT_PATH FILE: loads FILE, lets it live for a moment; a warning of the engine is a failure.
#include <QGuiApplication>
#include <QQmlApplicationEngine>
#include <QQmlError>
#include <QTimer>
#include <QUrl>

int main(int argc, char *argv[])
{
    QGuiApplication app(argc, argv);
    const QStringList arguments = app.arguments();
    if (arguments.size() != 3) {
        qCritical("usage: qml-consumer IMPORT_PATH FILE");
        return 2;
    }

    bool warned = false;
    QQmlApplicationEngine engine;
    QObject::connect(&engine, &QQmlEngine::warnings, &app,
                     [&warned](const QList<QQmlError> &) { warned = true; });
    engine.addImportPath(arguments.at(1));
    engine.load(QUrl::fromLocalFile(arguments.at(2)));
    if (engine.rootObjects().isEmpty())
        return 1;

    QTimer::singleShot(500, &app, &QCoreApplication::quit);
    app.exec();
    return warned ? 1 : 0;
}
