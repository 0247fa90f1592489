// SPDX-License-Identifier: MIT
#include "qmlmeasure.h"

#include "apps.h"
#include "corpus.h"
#include "librarysetup.h"
#include "listmeasure.h"
#include "measurement.h"
#include "uiwatch.h"

#include <QJsonDocument>
#include <QQmlComponent>
#include <QQmlEngine>
#include <QTimer>

#include <algorithm>
#include <memory>

namespace Bench {

namespace {

// What a page tells of what it is sent.
class Stage final : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void begun();
    void over();
    void lost(const QString &why);

public:
    Q_INVOKABLE void begin() { Q_EMIT begun(); }
    Q_INVOKABLE void end() { Q_EMIT over(); }
    Q_INVOKABLE void lose(const QString &why) { Q_EMIT lost(why); }
};

class Page final : public Measurement
{
public:
    explicit Page(const Task &task) : Measurement(task), m_isLibrary(task.peer == QLatin1String(Library))
    {
        QObject::connect(&m_stage, &Stage::begun, context(), [this] { begin(); });
        QObject::connect(&m_stage, &Stage::over, context(), [this] { end(); });
        QObject::connect(&m_stage, &Stage::lost, context(), [this](const QString &why) {
            fail(QStringLiteral("the connection ended: ") + why);
        });
    }

protected:
    void start() override
    {
        m_engine.addImportPath(QStringLiteral(EVERWIRE_QML_DIR));
        QVariantMap properties{{QStringLiteral("stage"), QVariant::fromValue<QObject *>(&m_stage)}};
        if (m_isLibrary) {
            properties.insert(QStringLiteral("connection"), QVariant::fromValue(makeConnection(url())));
            properties.insert(QStringLiteral("onlyLatest"), m_isLatest);
        } else {
            properties.insert(QStringLiteral("url"), url().toString());
        }
        m_page = create(m_isLibrary ? "Library.qml" : "QmlWs.qml", properties);
        if (m_page && number("view") == 1)
            m_view = create("View.qml", {{QStringLiteral("model"), m_page->property("model")},
                                         {QStringLiteral("row"), m_page->property("row")}});
        if (!m_page || isFinished())
            return;
        // A burst is measured from the quiet before it on.
        if (m_isBurst) {
            m_burst.start();
            QTimer::singleShot(number("wait") / 2, context(), [this] { m_burst.begin(); });
        }
        QMetaObject::invokeMethod(m_page.get(), "open");
    }

private:
    std::unique_ptr<QObject> create(const char *file, const QVariantMap &properties)
    {
        QQmlComponent component(
            &m_engine, QUrl::fromLocalFile(QStringLiteral(EVERWIRE_PAGES_DIR "/") + QLatin1String(file)));
        std::unique_ptr<QObject> object(component.createWithInitialProperties(properties));
        if (!object)
            fail(component.errorString());
        return object;
    }

    void begin()
    {
        if (!m_isBurst)
            m_steady.begin(std::chrono::duration<double>(double(m_count - warm()) / number("rate")));
        m_clock.start();
    }

    void end()
    {
        m_outcome = rates(m_clock.span(), m_count - warm());
        if (m_isBurst) {
            m_burst.end();
            m_outcome[QLatin1String("ui")] = m_burst.cpu() * 1e6 / m_count;
            m_outcome[QLatin1String("late")] = m_burst.worstLate();
        } else {
            m_steady.end();
            m_outcome[QLatin1String("ui")] = m_steady.load() * 1e6 / number("rate");
            m_outcome[QLatin1String("late")] = m_steady.worstLate();
        }
        // What is conflated may still wait for its frame.
        QTimer::singleShot(m_isLatest ? 300 : 0, context(), [this] { check(); });
    }

    void check()
    {
        const int received = m_page->property("received").toInt();
        if (!m_isLatest && received != m_count)
            return fail(QStringLiteral("%1 of %2 messages came").arg(received).arg(m_count));
        const std::vector<QByteArray> sent = corpusOf(true, number("size"), m_count);
        const QByteArray &last = sent[size_t(m_count - 1) % sent.size()];
        const QString content =
            QJsonDocument::fromJson(last).object().value(QLatin1String("content")).toString();
        if (m_page->property("content").toString() != content)
            return fail(QStringLiteral("the last message did not come"));
        finish(m_outcome);
    }

    [[nodiscard]] int warm() const { return std::max(1, m_count / 10); }

    const bool m_isLibrary;
    const bool m_isLatest = text("delivery") == QLatin1String("latest");
    const bool m_isBurst = text("measure") == QLatin1String("burst");
    const int m_count = number("count");
    UiWatch m_burst;
    StreamWatch m_steady;
    Clock m_clock;
    QJsonObject m_outcome;
    Stage m_stage;
    QQmlEngine m_engine;
    std::unique_ptr<QObject> m_page;
    std::unique_ptr<QObject> m_view;
};

} // namespace

QJsonObject runPage(const Task &task)
{
    return task.peer == QLatin1String(ListAlone) ? runListAlone(task) : Page(task).run();
}

} // namespace Bench

#include "qmlmeasure.moc"
