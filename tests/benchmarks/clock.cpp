// SPDX-License-Identifier: MIT
#include "clock.h"

#include <QByteArray>
#include <QDir>
#include <QFile>
#include <QStringList>

#include <cstring>
#include <ctime>

namespace Bench {

namespace {

// getrusage() would do for the peak, if that did not outlive exec(): it is the parent's, too.
qint64 fromStatus(const QString &path, const char *field)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray status = file.readAll();
    const qsizetype at = status.indexOf(field) + qsizetype(std::strlen(field));
    return status.mid(at, status.indexOf('\n', at) - at).replace("kB", "").trimmed().toLongLong();
}

qint64 bytesFromStatus(const char *field)
{
    return fromStatus(QStringLiteral("/proc/self/status"), field) * 1024;
}

QStringList threads()
{
    return QDir(QStringLiteral("/proc/self/task")).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
}

double seconds(clockid_t clock)
{
    timespec time{};
    clock_gettime(clock, &time);
    return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

} // namespace

Clock::Span Clock::now()
{
    return {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

double threadCpu()
{
    return seconds(CLOCK_THREAD_CPUTIME_ID);
}

qint64 residentBytes()
{
    return bytesFromStatus("VmRSS:");
}

qint64 peakResidentBytes()
{
    return bytesFromStatus("VmHWM:");
}

int threadCount()
{
    return int(threads().size());
}

qint64 waits()
{
    qint64 sum = 0;
    for (const QString &thread : threads())
        sum +=
            fromStatus(QStringLiteral("/proc/self/task/%1/status").arg(thread), "\nvoluntary_ctxt_switches:");
    return sum;
}

} // namespace Bench
