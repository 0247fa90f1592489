// SPDX-License-Identifier: MIT
#pragma once

#include <QMutex>
#include <QStringList>
#include <QtGlobal>

// What is logged while it lives, on any thread. One at a time.
class LogRecorder
{
public:
    LogRecorder()
    {
        const QMutexLocker lock(&record().mutex);
        record().lines.clear();
        m_before = qInstallMessageHandler(write);
    }
    ~LogRecorder() { qInstallMessageHandler(m_before); }
    Q_DISABLE_COPY_MOVE(LogRecorder)

    [[nodiscard]] QStringList lines() const
    {
        const QMutexLocker lock(&record().mutex);
        return record().lines;
    }

private:
    // Outlives us: another thread may be writing while we go.
    struct Record
    {
        QMutex mutex;
        QStringList lines;
    };
    static Record &record()
    {
        static Record theRecord;
        return theRecord;
    }
    static void write(QtMsgType, const QMessageLogContext &, const QString &message)
    {
        const QMutexLocker lock(&record().mutex);
        record().lines.append(message);
    }

    QtMessageHandler m_before = nullptr;
};
