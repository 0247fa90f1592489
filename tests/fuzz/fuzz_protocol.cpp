// SPDX-License-Identifier: MIT
//
// A received text, in the stage that the first byte says: what is JSON to the parser is a message, what is not is none,
// and a gadget filled from the parser's tape is the one that a handler would have filled later (rules A6, M2, M9).
#include "client/handler.h"
#include "protocol/jsoneventprotocol.h"

#include <QJsonDocument>

#include <cstdint>
#include <cstdlib>

using namespace Everwire;

struct Event
{
    Q_GADGET
    Q_PROPERTY(int n MEMBER n)
    Q_PROPERTY(double x MEMBER x)
    Q_PROPERTY(bool isFinal MEMBER isFinal)
    Q_PROPERTY(QString content MEMBER content)

public:
    [[nodiscard]] bool isLike(const Event &other) const
    {
        return n == other.n && x == other.x && isFinal == other.isFinal && content == other.content;
    }

    int n = 0;
    double x = 0;
    bool isFinal = false;
    QString content;
};

namespace {

std::shared_ptr<const InterestBoard> interestInAll()
{
    const Detail::Wanted wanted = Detail::wantedAs<Event>();
    auto interest = std::make_shared<Interest>();
    interest->every.forms.push_back({wanted.key(), Decoder::of(wanted)});
    auto board = std::make_shared<InterestBoard>();
    board->publish(interest);
    return board;
}

void require(bool condition)
{
    if (!condition)
        std::abort();
}

void check(const Message &message, const QByteArray &text)
{
    require(message.bytes() == text && !message.isBinary());
    const void *ready = message.decodedAs(&Event::staticMetaObject);
    const auto later = Detail::toGadget<Event>(Message::fromText(text, {}, Message::Incoming));
    require(!ready || static_cast<const Event *>(ready)->isLike(later));
    // Each finds the same type: the last one.
    if (const QJsonObject object = message.json(); !object.isEmpty())
        require(object.value(QLatin1String("type")).toString() == message.type());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const std::shared_ptr<const InterestBoard> interest = interestInAll();
    if (size == 0)
        return 0;
    const QByteArray text(reinterpret_cast<const char *>(data) + 1, qsizetype(size) - 1);
    JsonEventProtocol protocol(interest);
    const bool authenticates = data[0] % 3 == 1;
    if (data[0] % 3 > 0)
        (void)protocol.authenticate(QStringLiteral("secret"));
    if (data[0] % 3 == 2) {
        const PaddedCopy success(R"({"type":"auth_success"})");
        (void)protocol.receiveText(success.view());
        (void)protocol.reauthenticate(QStringLiteral("secret"));
    }
    const PaddedCopy padded(text);
    const Received::Outcome outcome = protocol.receiveText(padded.view());
    if (const auto *message = std::get_if<Message>(&outcome)) {
        require(!authenticates);
        check(*message, text);
    } else if (const auto *malformed = std::get_if<Received::Malformed>(&outcome)) {
        require(malformed->text == text && !malformed->reason.isEmpty());
    } else {
        require(data[0] % 3 > 0);
    }
    return 0;
}

#include "fuzz_protocol.moc"
