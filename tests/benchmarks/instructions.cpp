// SPDX-License-Identifier: MIT
//
// The two hottest paths, alone and on one thread, for scripts/instructions to count what they execute: receiving
// 20,000 events of 256 bytes (frames, parsing, the engine, the inbox with what the history takes), and handing them over
// (router, a typed subscriber; nobody watches the history). No clock, no socket and no second thread has a say in the number.
#include "answer.h"
#include "client/router.h"
#include "corpus.h"
#include "engine/engine.h"
#include "frames.h"
#include "protocol/jsoneventprotocol.h"
#include "testkit/faketransport.h"
#include "testkit/manualscheduler.h"
#include "transport/frame.h"

#include <simdjson.h>

#include <cstdio>

using namespace Everwire;
using Bench::Answer;

namespace {

constexpr int Count = 20'000;
constexpr int Batch = 200; // what crosses at once
constexpr int HistoryLimit = 1000;

class Paths
{
public:
    Paths()
    {
        Engine::Surroundings around;
        around.name = QStringLiteral("instructions");
        around.transports = FakeTransport::factory(&m_wire);
        around.messagePool = m_pool;
        around.protocols = [this] { return std::make_unique<JsonEventProtocol>(m_interest, m_pool); };
        around.scheduler = &m_scheduler;
        around.random = [] { return 0.5; };
        around.inbox = m_inbox;
        around.outbox = m_outbox;
        m_inbox->setHistoryLimit(HistoryLimit);
        m_engine = std::make_unique<Engine>(std::move(around));
        const auto count = [this](const Answer &answer) { m_characters += answer.content.size(); };
        m_router.add(QStringLiteral("ai_response"), &m_context, Detail::toHandler<void>(&m_context, count),
                     Detail::wantedAs<Answer>());
        m_router.publishInterest(*m_interest);
        const ConnectionConfig config =
            ConnectionConfig().setAuthentication(ConnectionConfig::Authentication::None);
        m_outbox->setAccepting(true);
        m_outbox->post(Command::Open{config, QUrl(QStringLiteral("ws://127.0.0.1/"))});
        m_engine->processOutbox();
        m_wire.current->connectTo();
        for (const QByteArray &event : Bench::events(256, Batch))
            m_bytes += Bench::serverFrame(Bench::Text, event);
        m_bytes.append(Padding, '\0');
    }

    // Both are symbols that Callgrind is told the names of.
    [[gnu::noinline]] void everwireReceive();
    [[gnu::noinline]] void everwireHandOver();

    [[nodiscard]] bool isRight() const
    {
        return m_handled == Count && m_characters > Count && m_inbox->takeRecords().size() == HistoryLimit;
    }

private:
    FakeTransport::Wire m_wire;
    ManualScheduler m_scheduler;
    const std::shared_ptr<MessagePool> m_pool = std::make_shared<MessagePool>();
    const std::shared_ptr<Inbox> m_inbox = std::make_shared<Inbox>(m_pool);
    const std::shared_ptr<Outbox> m_outbox = std::make_shared<Outbox>();
    const std::shared_ptr<InterestBoard> m_interest = std::make_shared<InterestBoard>();
    QObject m_context;
    Router m_router;
    std::unique_ptr<Engine> m_engine;
    FrameReader m_reader{1 << 20};
    QByteArray m_bytes;
    int m_handled = 0;
    qint64 m_characters = 0;
};

void Paths::everwireReceive()
{
    PaddedView input(m_bytes.constData(), m_bytes.size() - Padding);
    for (int i = 0; i < Batch; ++i) {
        const Incoming incoming = m_reader.read(&input);
        m_wire.current->receive(incoming.payload);
    }
}

void Paths::everwireHandOver()
{
    Inbox::Contents contents = m_inbox->takeAll(Inbox::Records::Left); // as where nobody watches the history
    std::vector<CountedMessage> spent;
    qint64 cost = 0;
    for (Inbox::Entry &entry : contents.entries) {
        cost += entry.cost;
        if (entry.other)
            continue;
        m_router.dispatchMessage(entry.message);
        spent.push_back({std::move(entry.message), entry.cost});
        ++m_handled;
    }
    m_inbox->handled(cost);
    m_pool->give(std::move(spent));
    m_inbox->giveBack(std::move(contents.entries));
}

} // namespace

int main()
{
    // The same on every PC: one with AVX2, or with AVX-512 which Valgrind does not know, takes another by itself.
    const simdjson::implementation *westmere = simdjson::get_available_implementations()["westmere"];
    if (westmere && westmere->supported_by_runtime_system())
        simdjson::get_active_implementation() = westmere;
    Paths paths;
    for (int done = 0; done < Count; done += Batch) {
        paths.everwireReceive();
        paths.everwireHandOver();
    }
    if (!paths.isRight()) {
        std::fputs("not all messages arrived\n", stderr);
        return 1;
    }
    return 0;
}
