// SPDX-License-Identifier: MIT
#include "collectorballast.h"

#include <QCoreApplication>
#include <QJSEngine>
#include <QPointer>
#include <QTest>

using namespace Everwire;

class TestCollectorBallast : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void once();
    void theCollectorRunsLessOften();

private:
    // How often the engine collects while 16 MiB of texts come and go.
    static int collections(QJSEngine &engine);
};

void TestCollectorBallast::once()
{
    QJSEngine engine;
    CollectorBallast::load(&engine);
    CollectorBallast::load(&engine);
    QCOMPARE(engine.findChildren<CollectorBallast *>().size(), 1);
}

int TestCollectorBallast::collections(QJSEngine &engine)
{
    int count = 0;
    QPointer<QObject> garbage; // is destroyed when the engine collects
    for (int i = 0; i < 16 * 1024; ++i) {
        if (!garbage) {
            count += i > 0 ? 1 : 0;
            garbage = new QObject;
            engine.newQObject(garbage);
        }
        const QJSValue text = engine.toScriptValue(QString(512, u'x'));
        if (text.isUndefined())
            return -1;
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
    return count;
}

void TestCollectorBallast::theCollectorRunsLessOften()
{
    QJSEngine light;
    const int without = collections(light);
    QJSEngine laden;
    CollectorBallast::load(&laden);
    const int with = collections(laden);
    QVERIFY2(with > 0, "the texts are never collected");
    QVERIFY2(with * 4 < without, qPrintable(QStringLiteral("%1 of %2").arg(with).arg(without)));
}

QTEST_GUILESS_MAIN(TestCollectorBallast)

#include "tst_collectorballast.moc"
