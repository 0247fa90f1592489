// SPDX-License-Identifier: MIT
#pragma once

#include <QStringList>
#include <QtGlobal>

namespace Everwire::Test {

// What is logged while it lives. One at a time.
class LogRecorder
{
public:
    LogRecorder() : m_before((current() = this, qInstallMessageHandler(record))) {}
    ~LogRecorder() { qInstallMessageHandler(m_before); }
    Q_DISABLE_COPY_MOVE(LogRecorder)

    QStringList lines;

private:
    static LogRecorder *&current()
    {
        static LogRecorder *recorder = nullptr;
        return recorder;
    }
    static void record(QtMsgType, const QMessageLogContext &, const QString &message)
    {
        current()->lines.append(message);
    }

    QtMessageHandler m_before;
};

} // namespace Everwire::Test
