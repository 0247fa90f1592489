// SPDX-License-Identifier: MIT
#include "beastpeer.h"

#include "measurement.h"

#include <QUrl>
#include <QUrlQuery>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <simdjson.h>

#include <algorithm>
#include <string_view>

namespace Bench {

namespace {

namespace beast = boost::beast;
using Tcp = boost::asio::ip::tcp;

// Whether it is one of the corpus, with what an app reads of it.
bool readEvent(simdjson::ondemand::parser &parser, const char *json, size_t size)
{
    simdjson::ondemand::document document;
    std::string_view type;
    std::string_view content;
    std::string_view timestamp;
    return parser.iterate(json, size, size + simdjson::SIMDJSON_PADDING).get(document) == simdjson::SUCCESS &&
           document["type"].get_string().get(type) == simdjson::SUCCESS && type == "ai_response" &&
           document["content"].get_string().get(content) == simdjson::SUCCESS && !content.empty() &&
           document["timestamp"].get_string().get(timestamp) == simdjson::SUCCESS && !timestamp.empty();
}

QJsonObject receiveAll(const Task &task)
{
    const QUrlQuery query{QUrl(task.url)};
    const bool isText = query.queryItemValue(QStringLiteral("kind")) == QLatin1String("text");
    const size_t messageSize = query.queryItemValue(QStringLiteral("size")).toUInt();
    const int count = query.queryItemValue(QStringLiteral("count")).toInt();
    const int warm = std::max(1, count / 10);

    boost::asio::io_context context;
    beast::websocket::stream<Tcp::socket> socket(context);
    socket.next_layer().connect({boost::asio::ip::address_v4::loopback(), task.plainPort});
    socket.next_layer().set_option(Tcp::no_delay(true));
    socket.handshake("127.0.0.1", task.url.toStdString());

    beast::flat_buffer buffer;
    simdjson::ondemand::parser parser;
    Clock clock;
    for (int received = 0; received < count;) {
        buffer.clear();
        socket.read(buffer);
        const size_t size = buffer.size();
        buffer.prepare(simdjson::SIMDJSON_PADDING); // room behind it; what is there stays
        if (size != messageSize)
            return failure(QStringLiteral("message %1 has %2 bytes").arg(received).arg(size));
        if (isText && !readEvent(parser, static_cast<const char *>(buffer.data().data()), size))
            return failure(QStringLiteral("message %1 lacks a field").arg(received));
        if (++received == warm)
            clock.start();
    }
    return rates(clock.span(), count - warm);
}

} // namespace

QJsonObject runBeast(const Task &task)
{
    try {
        return receiveAll(task);
    } catch (const std::exception &error) {
        return failure(QString::fromLocal8Bit(error.what()));
    }
}

} // namespace Bench
