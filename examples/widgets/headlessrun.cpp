// SPDX-License-Identifier: MIT
#include "headlessrun.h"

#include "monitorwindow.h"

#include <Everwire/MessageModel>

#include <QApplication>
#include <QPixmap>

#include <chrono>
#include <cstdio>

using namespace Qt::StringLiterals;
using Everwire::MessageModel;

namespace {

constexpr std::chrono::seconds patience{30};
constexpr int wantedAnswers = 2;

} // namespace

HeadlessRun::HeadlessRun(MonitorWindow *window, const QString &picture, int rows, QObject *parent)
    : QObject(parent), m_window(window), m_picture(picture), m_rows(rows)
{
    m_window->connection()->subscribe(u"pong"_s, this, [this] {
        ++m_answers;
        look();
    });
    m_window->connection()->subscribe(u"*"_s, this, [this] { look(); });
    for (int i = 0; i < wantedAnswers; ++i)
        m_window->send(uR"({"type": "ping"})"_s); // queued until it is connected
    connect(&m_patience, &QTimer::timeout, this, [this] {
        std::fprintf(stderr, "everwire-widgets: %d answers within 30 s, not %d; it is \"%s\". %s\n",
                     m_answers, wantedAnswers, qUtf8Printable(m_window->summary()),
                     qUtf8Printable(m_window->connection()->error()));
        QApplication::exit(1);
    });
    m_patience.setSingleShot(true);
    m_patience.start(patience);
}

void HeadlessRun::look()
{
    if (m_answers < wantedAnswers || m_window->connection()->messages()->count() < m_rows ||
        std::exchange(m_isDone, true))
        return;
    QMetaObject::invokeMethod(this, &HeadlessRun::finish,
                              Qt::QueuedConnection); // the window shows it by then
}

void HeadlessRun::finish()
{
    const MessageModel *messages = m_window->connection()->messages();
    std::printf("%s\n", qUtf8Printable(m_window->summary()));
    for (int row = 0; row < messages->rowCount(); ++row) {
        const auto cell = [&](int column) { return messages->index(row, column).data().toString(); };
        std::printf("%-4s %-14s %5s  %s\n", qUtf8Printable(cell(MessageModel::DirectionColumn)),
                    qUtf8Printable(cell(MessageModel::TypeColumn)),
                    qUtf8Printable(cell(MessageModel::SizeColumn)),
                    qUtf8Printable(cell(MessageModel::ContentColumn).left(60)));
    }
    if (!m_picture.isEmpty() && !m_window->grab().save(m_picture)) {
        std::fprintf(stderr, "everwire-widgets: %s could not be written\n", qUtf8Printable(m_picture));
        QApplication::exit(1);
        return;
    }
    QApplication::exit(0);
}
