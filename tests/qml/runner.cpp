// SPDX-License-Identifier: MIT
#include <QQmlEngine>
#include <QtQuickTest>

class Setup final : public QObject
{
    Q_OBJECT

public Q_SLOTS:
    void qmlEngineAvailable(QQmlEngine *engine) { engine->addImportPath(QStringLiteral(EVERWIRE_QML_DIR)); }
};

QUICK_TEST_MAIN_WITH_SETUP(everwire, Setup)

#include "runner.moc"
