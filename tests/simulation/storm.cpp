// SPDX-License-Identifier: MIT
#include "storm.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace Storms {

namespace {

constexpr int Window = 100;        // ms
constexpr int LongestNotice = 100; // ms until a client knows that its connection is gone
constexpr int ShortestTrip = 20;   // ms from the start of an attempt to its end
constexpr int LongestTrip = 200;

// splitmix64, because the standard's distributions differ from library to library.
class Random
{
public:
    explicit Random(std::uint64_t seed) : m_state(seed) {}
    double next()
    {
        m_state += 0x9e3779b97f4a7c15;
        std::uint64_t z = m_state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z ^= z >> 31;
        return double(z >> 11) * 0x1p-53;
    }
    int between(int least, int most) { return least + int(next() * (most - least + 1)); }

private:
    std::uint64_t m_state;
};

// What happens when: a list of clients for each millisecond, in a ring that is longer than any wait. An event costs the
// same however many there are.
class Calendar
{
public:
    Calendar(int clients, qint64 longest) : m_next(size_t(clients))
    {
        size_t size = 1;
        while (size <= size_t(longest))
            size *= 2;
        m_first.assign(size, Nobody);
    }
    void add(qint64 when, int client)
    {
        int &first = m_first[size_t(when) & (m_first.size() - 1)];
        m_next[size_t(client)] = first;
        first = client;
    }
    // Calls visit(client) for everyone of this millisecond.
    template<typename Visitor>
    void take(qint64 when, Visitor &&visit)
    {
        int client = std::exchange(m_first[size_t(when) & (m_first.size() - 1)], Nobody);
        while (client != Nobody) {
            const int next = m_next[size_t(client)];
            visit(client);
            client = next;
        }
    }

private:
    static constexpr int Nobody = -1;
    std::vector<int> m_first;
    std::vector<int> m_next;
};

// AWS API Gateway's way to limit: a bucket of tokens that fills at a steady pace.
class Admission
{
public:
    explicit Admission(int perSecond) : m_perSecond(perSecond), m_thousandths(1000 * qint64(perSecond)) {}
    bool admits(qint64 now)
    {
        m_thousandths = std::min(1000 * m_perSecond, m_thousandths + (now - m_last) * m_perSecond);
        m_last = now;
        if (m_thousandths < 1000)
            return false;
        m_thousandths -= 1000;
        return true;
    }

private:
    qint64 m_perSecond;
    qint64 m_thousandths;
    qint64 m_last = 0;
};

struct Client
{
    int attempt = 0;
    int wait = 0; // ms
    int trip = 0; // ms
};

class Life
{
public:
    Life(const Storm &storm, const Backoff &backoff)
        : m_storm(storm)
        , m_backoff(backoff)
        , m_random(storm.seed)
        , m_admission(storm.admitted)
        , m_clients(size_t(storm.clients))
        , m_calendar(storm.clients, longestEvent())
    {
    }

    Outcome live()
    {
        for (int client = 0; client < m_storm.clients; ++client) {
            m_clients[size_t(client)].trip = m_random.between(ShortestTrip, LongestTrip);
            fail(client, m_random.between(0, LongestNotice), milliseconds(0));
        }
        const qint64 last = m_storm.outage.count() + m_storm.horizon.count();
        for (qint64 now = 0; now <= last && m_waiting > 0; ++now)
            m_calendar.take(now, [this, now](int client) { arrive(client, now); });
        return m_outcome;
    }

private:
    [[nodiscard]] qint64 longestEvent() const
    {
        qint64 longest = 2 * m_storm.retryAfter.count();
        milliseconds wait{0};
        for (int attempt = 1; attempt <= 64; ++attempt) {
            wait = m_backoff.wait(attempt, wait, std::nextafter(1.0, 0.0), milliseconds(0));
            longest = std::max<qint64>(longest, wait.count());
        }
        return longest + LongestNotice + LongestTrip;
    }

    // The next attempt of a client that learns now that it is not connected.
    void fail(int index, qint64 now, milliseconds asked)
    {
        Client &client = m_clients[size_t(index)];
        if (client.attempt > 0)
            --m_waiting;
        if (!m_backoff.allows(client.attempt + 1)) {
            ++m_outcome.gaveUp;
            return;
        }
        ++m_waiting;
        ++client.attempt;
        client.wait =
            int(m_backoff.wait(client.attempt, milliseconds(client.wait), m_random.next(), asked).count());
        m_calendar.add(now + client.wait + client.trip, index);
    }

    void arrive(int client, qint64 now)
    {
        if (now < m_storm.outage.count()) {
            ++m_outcome.inVain;
            fail(client, now, milliseconds(0));
            return;
        }
        const qint64 sinceUp = now - m_storm.outage.count();
        count(sinceUp);
        if (m_admission.admits(sinceUp)) {
            --m_waiting;
            comeBack(sinceUp);
        } else {
            ++m_outcome.refused;
            fail(client, now, m_storm.retryAfter);
        }
    }

    void count(qint64 sinceUp)
    {
        if (sinceUp / Window != m_window) {
            m_window = sinceUp / Window;
            m_inWindow = 0;
        }
        m_outcome.peak = std::max(m_outcome.peak, ++m_inWindow);
    }

    void comeBack(qint64 sinceUp)
    {
        ++m_outcome.back;
        if (2 * qint64(m_outcome.back) >= m_storm.clients && !m_outcome.half)
            m_outcome.half = milliseconds(sinceUp);
        if (100 * qint64(m_outcome.back) >= 99 * qint64(m_storm.clients) && !m_outcome.nearlyAll)
            m_outcome.nearlyAll = milliseconds(sinceUp);
    }

    const Storm &m_storm;
    const Backoff &m_backoff;
    Random m_random;
    Admission m_admission;
    std::vector<Client> m_clients;
    Calendar m_calendar;
    Outcome m_outcome;
    int m_waiting = 0;
    qint64 m_window = -1;
    qint64 m_inWindow = 0;
};

} // namespace

Outcome live(const Storm &storm, const Backoff &backoff)
{
    return Life(storm, backoff).live();
}

} // namespace Storms
