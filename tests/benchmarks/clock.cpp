// SPDX-License-Identifier: MIT
#include "clock.h"

#include <QByteArray>
#include <QFile>

#include <cstring>
#include <ctime>

namespace Bench {

namespace {

// getrusage() would do for the peak, if that did not outlive exec(): it is the parent's, too.
qint64 fromStatus(const char *field)
{
    QFile file(QStringLiteral("/proc/self/status"));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray status = file.readAll();
    const qsizetype at = status.indexOf(field) + qsizetype(std::strlen(field));
    return status.mid(at, status.indexOf("kB", at) - at).trimmed().toLongLong() * 1024;
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
    return fromStatus("VmRSS:");
}

qint64 peakResidentBytes()
{
    return fromStatus("VmHWM:");
}

} // namespace Bench
