// SPDX-License-Identifier: MIT
#include "roundtrip.h"

#include <algorithm>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr qsizetype mostSamples = 60;

} // namespace

RoundTrip::RoundTrip(QObject *parent) : QObject(parent)
{
    m_timer.setInterval(2s);
    connect(&m_timer, &QTimer::timeout, this, &RoundTrip::ask);
}

Everwire::Connection *RoundTrip::connection() const
{
    return m_connection;
}

void RoundTrip::setConnection(Everwire::Connection *connection)
{
    if (connection == m_connection)
        return;
    if (m_connection)
        m_connection->disconnect(this);
    m_answers.unsubscribe();
    m_connection = connection;
    if (connection) {
        m_answers = connection->subscribe(u"pong"_s, this, [this] { takeAnswer(); });
        connect(connection, &Everwire::Connection::isConnectedChanged, this, &RoundTrip::followState);
    }
    followState();
    Q_EMIT connectionChanged();
}

qreal RoundTrip::median() const
{
    if (m_samples.isEmpty())
        return 0;
    QList<qreal> sorted = m_samples;
    std::sort(sorted.begin(), sorted.end());
    const qsizetype middle = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// A pong knows nothing of its ping, so there is one at a time, and none outlives its connection.
void RoundTrip::followState()
{
    m_asked.invalidate();
    if (m_connection && m_connection->isConnected()) {
        m_timer.start();
        ask();
    } else {
        m_timer.stop();
    }
}

void RoundTrip::ask()
{
    if (m_asked.isValid())
        return;
    m_asked.start();
    if (!m_connection->sendJson({{u"type"_s, u"ping"_s}}))
        m_asked.invalidate();
}

void RoundTrip::takeAnswer()
{
    if (!m_asked.isValid())
        return;
    m_samples.append(qreal(m_asked.nsecsElapsed()) / 1e6);
    m_asked.invalidate();
    if (m_samples.size() > mostSamples)
        m_samples.removeFirst();
    Q_EMIT samplesChanged();
}
