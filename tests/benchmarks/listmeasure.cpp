// SPDX-License-Identifier: MIT
#include "listmeasure.h"

#include "corpus.h"
#include "measurement.h"
#include "uiwatch.h"

#include <QAbstractListModel>
#include <QQmlComponent>
#include <QQmlEngine>

#include <algorithm>
#include <memory>
#include <utility>

namespace Bench {

namespace {

constexpr int MostRows = 1000; // as many as a connection's history has

class Rows final : public QAbstractListModel
{
public:
    explicit Rows(const std::vector<QByteArray> &messages)
    {
        for (const QByteArray &message : messages)
            m_texts.append(QString::fromUtf8(message));
    }

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override
    {
        return parent.isValid() ? 0 : m_count;
    }
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override
    {
        return role == Qt::DisplayRole ? m_texts.at((m_first + index.row()) % m_texts.size()) : QVariant();
    }

    // As a history of so many does when more than it keeps have come.
    void turn(int count)
    {
        if (m_count > 0) {
            beginRemoveRows({}, 0, m_count - 1);
            m_first += std::exchange(m_count, 0);
            endRemoveRows();
        }
        beginInsertRows({}, 0, count - 1);
        m_count = count;
        endInsertRows();
    }

private:
    QStringList m_texts;
    int m_first = 0;
    int m_count = 0;
};

class ListAloneMeasurement final : public Measurement
{
public:
    explicit ListAloneMeasurement(const Task &task) : Measurement(task) {}

protected:
    void start() override
    {
        QQmlComponent component(&m_engine,
                                QUrl::fromLocalFile(QStringLiteral(EVERWIRE_PAGES_DIR "/List.qml")));
        m_view.reset(component.createWithInitialProperties(
            {{QStringLiteral("model"), QVariant::fromValue<QObject *>(&m_rows)}}));
        if (!m_view)
            return fail(component.errorString());
        m_frame.setTimerType(Qt::PreciseTimer);
        QObject::connect(&m_frame, &QTimer::timeout, context(), [this] { turn(); });
        // Out of step with the ticks, so that some of them come while it paints.
        m_frame.start(UiWatch::Period + std::chrono::milliseconds(1));
        m_ui.start();
    }

private:
    // The first frames are the window's own.
    void turn()
    {
        constexpr int opening = 20;
        if (++m_frames == opening)
            m_ui.begin();
        if (m_frames > opening)
            m_left -= std::min(m_left, MostRows);
        m_rows.turn(MostRows);
        if (m_left > 0)
            return;
        m_frame.stop();
        QTimer::singleShot(UiWatch::Period, context(), [this] { // the last frame is painted then
            m_ui.end();
            finish({{QStringLiteral("late"), m_ui.worstLate()}});
        });
    }

    Rows m_rows{corpusOf(true, number("size"), MostRows)};
    int m_left = number("count");
    int m_frames = 0;
    UiWatch m_ui;
    QTimer m_frame;
    QQmlEngine m_engine;
    std::unique_ptr<QObject> m_view;
};

} // namespace

QJsonObject runListAlone(const Task &task)
{
    return ListAloneMeasurement(task).run();
}

} // namespace Bench
