// SPDX-License-Identifier: MIT
#include "rawpeer.h"

#include "corpus.h"
#include "frames.h"
#include "measurement.h"
#include "wire.h"

#include <QUrl>
#include <QUrlQuery>

#include <algorithm>
#include <vector>

namespace Bench {

// The same bytes through a socket and nothing else.
QJsonObject runRaw(const Task &task)
{
    const QUrl url(task.url);
    const QUrlQuery query(url);
    const bool isTls = query.queryItemValue(QStringLiteral("tls")) == QLatin1String("1");
    const bool isText = query.queryItemValue(QStringLiteral("kind")) == QLatin1String("text");
    const int count = query.queryItemValue(QStringLiteral("count")).toInt();
    const int warm = std::max(1, count / 10);
    const auto messages = corpusOf(isText, query.queryItemValue(QStringLiteral("size")).toInt(), count);
    const auto wire = connectTo(isTls ? task.tlsPort : task.plainPort, isTls);
    if (!wire || !wire->write("GET " + task.url.toLatin1() + " HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n"))
        return failure(QStringLiteral("no connection"));

    std::vector<char> room(256 * 1024);
    QByteArray head;
    while (!head.contains("\r\n\r\n")) {
        const qint64 n = wire->read(room.data(), 1);
        if (n <= 0)
            return failure(QStringLiteral("no answer"));
        head.append(room.data(), n);
    }

    Clock clock;
    if (url.path() == QLatin1String("/receive")) {
        const qint64 frame = serverFrame(Text, messages.front()).size();
        qint64 left = frame * count;
        bool isWarm = false;
        clock.start(); // anew when it is warm, unless one read takes it all
        while (left > 0) {
            if (!isWarm && left <= frame * (count - warm)) {
                isWarm = true;
                clock.start();
            }
            const qint64 n = wire->read(room.data(), qint64(room.size()));
            if (n <= 0)
                return failure(QStringLiteral("the stream ended"));
            left -= n;
        }
        return rates(clock.span(), count - warm);
    }

    QByteArray frames;
    for (const QByteArray &message : messages)
        frames += clientFrame(isText ? Text : Binary, message);
    const qsizetype frame = frames.size() / qsizetype(messages.size());
    clock.start();
    for (qsizetype left = frame * count; left > 0;) {
        const qsizetype n = std::min(left, frames.size());
        if (!wire->write(QByteArrayView(frames).first(n)))
            return failure(QStringLiteral("the server takes no more"));
        left -= n;
    }
    if (wire->read(room.data(), 1) <= 0)
        return failure(QStringLiteral("the server did not count"));
    return rates(clock.span(), count);
}

} // namespace Bench
