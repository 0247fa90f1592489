// SPDX-License-Identifier: MIT
#include "loadserver.h"

#include "corpus.h"
#include "crowdpacer.h"
#include "deflate.h"
#include "frames.h"
#include "measurement.h"
#include "pace.h"
#include "wire.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QJsonObject>
#include <QtEndian>
#include <QUrl>
#include <QUrlQuery>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace Bench {

namespace {

struct Request
{
    QString path;
    QUrlQuery query;
    QByteArray offer; // of extensions
    QByteArray key;

    [[nodiscard]] int number(const char *name) const
    {
        return query.queryItemValue(QLatin1String(name)).toInt();
    }
    [[nodiscard]] bool isText() const
    {
        return query.queryItemValue(QStringLiteral("kind")) == QLatin1String("text");
    }
    [[nodiscard]] std::vector<QByteArray> corpus() const
    {
        return corpusOf(isText(), number("size"), number("count"));
    }
    [[nodiscard]] bool deflates() const { return number("deflate") == 1; }
};

bool readRequest(Wire &wire, Request *request)
{
    QByteArray head;
    std::array<char, 4096> room{};
    while (!head.contains("\r\n\r\n")) {
        const qint64 n = wire.read(room.data(), qint64(room.size()));
        if (n <= 0)
            return false;
        head.append(room.data(), n);
    }
    const QList<QByteArray> lines = head.split('\n');
    const QUrl url = QUrl::fromEncoded(lines.first().split(' ').value(1));
    request->path = url.path();
    request->query = QUrlQuery(url);
    for (const QByteArray &line : lines) {
        const QByteArray name = line.left(line.indexOf(':')).toLower();
        const QByteArray value = line.mid(line.indexOf(':') + 1).trimmed();
        if (name == "sec-websocket-key")
            request->key = value;
        else if (name == "sec-websocket-extensions")
            request->offer = value;
    }
    return true;
}

bool answer(Wire &wire, const Request &request, const DeflateTerms &terms)
{
    if (request.deflates() && !terms.isAgreed)
        return wire.write("HTTP/1.1 400 permessage-deflate was not offered\r\nContent-Length: 0\r\n\r\n") &&
               false;
    const QByteArray accept = QCryptographicHash::hash(request.key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                                                       QCryptographicHash::Sha1)
                                  .toBase64();
    QByteArray head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: " +
                      accept + "\r\n";
    if (request.deflates())
        head += "Sec-WebSocket-Extensions: " + terms.answer() + "\r\n";
    return wire.write(head + "\r\n");
}

// The server may close first only where nothing more can come: it would reset what is under way.
void waitForEnd(Wire &wire)
{
    std::array<char, 65536> room{};
    while (wire.read(room.data(), qint64(room.size())) > 0) {
    }
}

bool writeJson(Wire &wire, const QJsonObject &object)
{
    return wire.write(serverFrame(Text, QJsonDocument(object).toJson(QJsonDocument::Compact)));
}

void mark(Wire &wire, const QString &type)
{
    writeJson(wire, {{QStringLiteral("type"), type}});
}

void stream(Wire &wire, const Request &request, FrameRing &ring)
{
    const int count = request.number("count");
    if (request.query.hasQueryItem(QStringLiteral("crowd"))) {
        CrowdPacer::instance().send(wire, ring, count, request.number("rate"));
        return waitForEnd(wire);
    }
    const int lead = request.number("lead");
    const int warm = std::max(1, count / 10);
    const bool isNumbered = request.number("numbered") == 1;
    const bool hasMarks = request.number("marks") == 1;
    int sent = 0;
    const auto send = [&](int end, Pace &pace) {
        while (sent < end) {
            const int at = sent % ring.size();
            const int n = std::min({end - sent, ring.size() - at, pace.await(sent)});
            if (isNumbered)
                ring.number(sent, n);
            if (!wire.write(ring.part(at, n)))
                return false;
            sent += n;
            if (at + n == ring.size())
                ring.wrap();
        }
        return true;
    };
    Pace atOnce(0);
    if (!send(lead, atOnce))
        return;
    std::this_thread::sleep_for(std::chrono::milliseconds(request.number("wait")));
    Pace pace(request.number("rate"));
    if (hasMarks) {
        if (!send(warm, pace))
            return;
        mark(wire, QStringLiteral("begin"));
    }
    if (!send(count, pace))
        return;
    if (hasMarks)
        mark(wire, QStringLiteral("end"));
    waitForEnd(wire);
}

QJsonObject takeAll(Wire &wire, const Request &request, const DeflateTerms &terms)
{
    const std::vector<QByteArray> corpus = request.corpus();
    const int count = request.number("count");
    MessageReader reader(wire);
    Inflater inflater;
    qint64 payload = 0;
    for (int i = 0; i < count; ++i) {
        MessageReader::Message message;
        if (!reader.next(&message))
            return {
                {QStringLiteral("error"), QStringLiteral("the connection ended after %1 messages").arg(i)}};
        QByteArrayView bytes = message.payload;
        if (message.isCompressed && !(terms.isAgreed && inflater.inflate(bytes, &bytes)))
            return {{QStringLiteral("error"), QStringLiteral("message %1 cannot be inflated").arg(i)}};
        // Comparing them all would take longer than what is measured; inflated ones break in the first that is wrong.
        const QByteArray &expected = corpus[size_t(i) % corpus.size()];
        const bool isWrong = message.isCompressed || i < int(corpus.size()) ? bytes != expected
                                                                            : bytes.size() != expected.size();
        if (isWrong)
            return {{QStringLiteral("error"), QStringLiteral("message %1 is not what was sent").arg(i)}};
        payload += bytes.size();
    }
    return {{QStringLiteral("messages"), count},
            {QStringLiteral("payload"), payload},
            {QStringLiteral("wire"), reader.bytesTaken()}};
}

void take(Wire &wire, const Request &request, const DeflateTerms &terms)
{
    if (writeJson(wire, takeAll(wire, request, terms)))
        waitForEnd(wire);
}

void echo(Wire &wire)
{
    MessageReader reader(wire);
    MessageReader::Message message;
    while (reader.next(&message)) {
        if (!wire.write(serverFrame(message.opcode, message.payload)))
            return;
    }
}

// Pings, each when the one before it is answered and its time has come.
void ping(Wire &wire, const Request &request)
{
    using namespace std::chrono;
    const milliseconds every(request.number("every"));
    MessageReader reader(wire);
    std::vector<double> times; // µs
    auto next = steady_clock::now();
    for (int i = 0; i < request.number("count"); ++i) {
        next += every;
        std::this_thread::sleep_until(next);
        const auto sent = steady_clock::now();
        MessageReader::Message frame;
        if (!wire.write(serverFrame(Ping, "?")))
            return;
        do {
            if (!reader.nextFrame(&frame))
                return;
        } while (frame.opcode != Pong);
        times.push_back(duration<double, std::micro>(steady_clock::now() - sent).count());
    }
    if (writeJson(wire, {{QStringLiteral("type"), QStringLiteral("report")},
                         {QStringLiteral("p50"), quantile(times, 0.5)},
                         {QStringLiteral("p99"), quantile(times, 0.99)}}))
        waitForEnd(wire);
}

void listenForPings(Wire &wire, const Request &request)
{
    using namespace std::chrono;
    const auto end = steady_clock::now() + milliseconds(request.number("time"));
    MessageReader reader(wire);
    int pings = 0;
    while (steady_clock::now() < end) {
        MessageReader::Message frame;
        if (!reader.nextFrame(&frame))
            return;
        if (frame.opcode != Ping)
            continue;
        ++pings;
        if (!wire.write(serverFrame(Pong, frame.payload)))
            return;
    }
    if (writeJson(wire,
                  {{QStringLiteral("type"), QStringLiteral("report")}, {QStringLiteral("pings"), pings}}))
        waitForEnd(wire);
}

// True once there was a token, for all that follows.
bool welcome(Wire &wire)
{
    MessageReader reader(wire);
    MessageReader::Message token;
    return reader.next(&token) && writeJson(wire, {{QStringLiteral("type"), QStringLiteral("auth_success")},
                                                   {QStringLiteral("session_id"), QStringLiteral("bench")}});
}

void handle(Wire &wire)
{
    Request request;
    if (!readRequest(wire, &request))
        return;
    const DeflateTerms terms = request.deflates() ? DeflateTerms::from(request.offer) : DeflateTerms{};
    const bool isStream = request.path == QLatin1String("/receive");
    // Before the answer: the client's clock starts with it.
    FrameRing ring;
    if (isStream) {
        std::vector<QByteArray> messages = request.corpus();
        messages.resize(std::min(messages.size(), size_t(std::max(1, request.number("count")))));
        ring = FrameRing(messages, request.isText() ? Text : Binary, terms);
    }
    if (!answer(wire, request, terms) || (request.number("auth") == 1 && !welcome(wire)))
        return;
    if (isStream)
        stream(wire, request, ring);
    else if (request.path == QLatin1String("/send"))
        take(wire, request, terms);
    else if (request.path == QLatin1String("/echo"))
        echo(wire);
    else if (request.path == QLatin1String("/ping"))
        ping(wire, request);
    else if (request.path == QLatin1String("/listen"))
        listenForPings(wire, request);
    else if (request.path == QLatin1String("/stall"))
        std::this_thread::sleep_for(std::chrono::milliseconds(request.number("time")));
    else
        waitForEnd(wire);
}

int listenOnLoopback(quint16 *port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr *>(&address), size) < 0 || ::listen(fd, 1024) < 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size) < 0) {
        std::perror("the load server cannot listen");
        std::exit(1);
    }
    *port = ntohs(address.sin_port);
    return fd;
}

} // namespace

int serve()
{
    quint16 plainPort = 0;
    quint16 tlsPort = 0;
    const int plain = listenOnLoopback(&plainPort);
    const int tls = listenOnLoopback(&tlsPort);
    std::printf("%d %d\n", plainPort, tlsPort);
    std::fflush(stdout);
    std::array<pollfd, 3> waits{{{plain, POLLIN, 0}, {tls, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    while (::poll(waits.data(), waits.size(), -1) > 0 && waits[2].revents == 0) {
        for (const pollfd &wait : waits) {
            if (wait.revents == 0)
                continue;
            const int fd = ::accept4(wait.fd, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0)
                continue;
            std::thread([fd, isTls = wait.fd == tls] {
                if (const auto wire = isTls ? tlsWire(fd) : plainWire(fd))
                    handle(*wire);
            }).detach();
        }
    }
    // Threads may still wait for their clients' end, and nobody waits for them.
    std::_Exit(0);
}

} // namespace Bench
