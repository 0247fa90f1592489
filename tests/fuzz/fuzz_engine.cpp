// SPDX-License-Identifier: MIT
//
// The engine, driven by a byte string: what the app does, what the network does, and time. Whatever happens, its states
// follow the table (rule S5), there is one socket at a time, nothing of the app's is on a wire before auth_success, and
// every message that was accepted is taken by the system, discarded with a report, or still there (rules Q1, Q4, Q8).
#include "unit/engine/enginerig.h"

#include <QJsonDocument>

#include <cstdint>
#include <cstdlib>
#include <set>

using namespace Everwire;
using namespace Everwire::Test;

namespace {

void require(bool condition)
{
    if (!condition)
        std::abort();
}

class Run
{
public:
    Run(const uint8_t *data, size_t size) : m_next(data), m_end(data + size)
    {
        const uint8_t options = take();
        m_rig.wire.canPause = options & 1;
        if (options & 2)
            m_rig.config = EngineRig::open();
        if (options & 4)
            m_rig.config.setMaxReconnectAttempts(2);
        m_rig.config.setMaxPendingBytes(options & 8 ? 1000 : 32 * 1024 * 1024);
        m_rig.outbox->setLimits(m_rig.config);
        m_takesAll = (options & 16) == 0;
    }

    void run()
    {
        while (m_next != m_end) {
            step(take());
            check();
        }
        finish();
    }

private:
    uint8_t take() { return m_next == m_end ? 0 : *m_next++; }

    void step(uint8_t what)
    {
        FakeTransport *const transport = m_rig.wire.current;
        switch (what % 20) {
        case 0: return m_rig.postOpen();
        case 1: return m_rig.postClose();
        case 2: return m_rig.postReconnect();
        case 3: return m_rig.postConfigure(m_rig.config);
        case 4: return m_rig.giveToken(QStringLiteral("token-%1").arg(take() % 4));
        case 5: return m_rig.answer({TokenResult::Failed, {}, QStringLiteral("no")});
        case 6: return m_rig.post(Command::NetworkBack{});
        case 7: return push();
        case 8: return m_rig.scheduler.advance(milliseconds(take() * 10));
        case 9:
            if (m_rig.scheduler.pending() > 0)
                m_rig.scheduler.advance(m_rig.scheduler.untilNext());
            return;
        case 10: m_rig.wire.takesBytes = m_takesAll || take() % 2; return;
        case 11: return m_rig.post(Command::ResumeReading{});
        default: break;
        }
        if (!transport)
            return;
        switch (what % 20) {
        case 12: return transport->connectTo();
        case 13: return receive(transport, EngineRig::success());
        case 14: return receive(transport, AuthError);
        case 15: return receive(transport, text(take()));
        case 16: return receive(transport, QByteArray(take() % 8, '{'));
        case 17: return transport->receiveBinary(QByteArray(take(), 'b'));
        case 18: return transport->take(take() * 4);
        default: return end(transport, take());
        }
    }

    void push()
    {
        if (m_rig.push(text(m_pushed)).accepted)
            m_accepted.insert(m_pushed);
        ++m_pushed;
    }

    void receive(FakeTransport *transport, const QByteArray &utf8)
    {
        if (utf8 == EngineRig::success())
            m_answered.insert(m_rig.wire.made);
        transport->receive(utf8);
    }

    static void end(FakeTransport *transport, uint8_t how)
    {
        static constexpr int codes[] = {1000, 1001, 1006, 1008, 1011, 1012, 1013, 4001, 4002, 4003};
        transport->end(ConnectionError::ConnectionLost, codes[how % 10]);
    }

    void check()
    {
        ConnectionState state = m_state;
        for (const auto &entry : m_rig.entries()) {
            require(entry.generation >= m_generation);
            m_generation = entry.generation;
            if (const auto *discarded = entry.as<Notice::Discarded>())
                m_discarded += discarded->count;
            const auto *transition = entry.as<Transition>();
            if (!transition)
                continue;
            const bool answersClose = state == ConnectionState::Disconnected && transition->to == state;
            require(answersClose || isTransitionAllowed(state, transition->to));
            state = transition->to;
        }
        m_rig.forget();
        m_state = state;
        require(state == m_rig.engine->state());
        require(m_rig.wire.deletedInCall == 0 && m_rig.wire.mostSockets <= 1); // rule O1
        checkWire();
    }

    // Each socket's frames in the order of the calls, and none before the token was accepted.
    void checkWire()
    {
        for (; m_seen < m_rig.wire.sent.size(); ++m_seen) {
            const FakeTransport::Frame &frame = m_rig.wire.sent.at(m_seen);
            if (frame.isSecret)
                continue;
            require(!m_rig.authenticates() || m_answered.count(frame.socket) > 0);
            if (frame.isBinary || !frame.bytes.startsWith(R"({"type":"n")"))
                continue;
            const int number =
                QJsonDocument::fromJson(frame.bytes).object().value(QLatin1String("n")).toInt();
            require(m_accepted.count(number) > 0);
            require(frame.socket != m_lastSocket || number > m_lastNumber);
            require(m_sent.insert(number).second ||
                    !m_takesAll); // again only where the system had not taken it
            m_lastSocket = frame.socket;
            m_lastNumber = number;
        }
    }

    void finish()
    {
        m_rig.postClose();
        // Messages of an earlier connection are waited for first.
        m_rig.scheduler.advance(m_rig.config.closeTimeout());
        m_rig.scheduler.advance(m_rig.config.closeTimeout());
        check();
        require(m_rig.engine->state() == ConnectionState::Disconnected);
        require(m_rig.scheduler.pending() == 0 && m_rig.wire.alive == 0 && m_rig.wire.sockets == 0);
        const int gone = int(m_accepted.size() - m_sent.size());
        require(m_takesAll ? m_discarded == gone : m_discarded >= gone);
    }

    const uint8_t *m_next;
    const uint8_t *const m_end;
    EngineRig m_rig;
    ConnectionState m_state = ConnectionState::Disconnected;
    quint32 m_generation = 0;
    std::set<int> m_accepted;
    std::set<int> m_sent;
    std::set<int> m_answered; // sockets
    bool m_takesAll = true;   // the system does, of whatever is written
    int m_lastSocket = 0;
    int m_lastNumber = -1;
    int m_pushed = 0;
    int m_discarded = 0;
    qsizetype m_seen = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 200)
        Run(data, size).run();
    return 0;
}
