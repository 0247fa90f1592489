// SPDX-License-Identifier: MIT
#pragma once

#include "core/messagepool.h"
#include "protocol/interest.h"
#include "protocol/protocol.h"

#include <memory>

namespace Everwire {

// JSON objects routed by "type", with {"type":"auth","token":…} as the first message (the wire protocol's
// Handshake). Every text is checked to be JSON and its "type" found without building a tree of it; its body
// is decoded here for the subscribers of that type, or else by Message, when somebody asks.
class EVERWIRE_EXPORT JsonEventProtocol final : public Protocol
{
public:
    // interest: what is decoded ahead; none: nothing. pool: what messages are made of; none: its own.
    explicit JsonEventProtocol(std::shared_ptr<const InterestBoard> interest = {},
                               std::shared_ptr<MessagePool> pool = {});
    ~JsonEventProtocol() override;
    Q_DISABLE_COPY_MOVE(JsonEventProtocol)

    [[nodiscard]] QByteArray authenticate(const QString &token) override;
    [[nodiscard]] QByteArray reauthenticate(const QString &token) override;
    [[nodiscard]] Received::Outcome receiveText(PaddedView padded) override;
    [[nodiscard]] QByteArray heartbeat() override;

private:
    enum class Stage { Open, Authenticating, Renewing };

    [[nodiscard]] Received::Outcome answerToAuthentication(const Message &message);
    void decode(Message &message, const simdjson::dom::object *object, Decoded former);
    [[nodiscard]] static int decodeFor(const Interest::InType &type, Message &message,
                                       const simdjson::dom::object *object, Decoded *former);

    struct Parser;
    const std::shared_ptr<const InterestBoard> m_interest;
    std::unique_ptr<Parser> m_parser;
    Stage m_stage = Stage::Open;
    int m_pongsDue = 0; // pings of heartbeat() that are not answered yet
};

} // namespace Everwire
