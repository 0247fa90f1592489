// SPDX-License-Identifier: MIT
#include "measure.h"

#include "appmeasure.h"
#include "beastpeer.h"
#include "clock.h"
#include "corpus.h"
#include "frames.h"
#include "livemeasure.h"
#include "peermeasurement.h"
#include "rawpeer.h"
#include "typefinder.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QSslConfiguration>
#include <QTimer>
#include <QUrl>
#include <QUrlQuery>

#include <algorithm>
#include <cstring>

namespace Bench {

namespace {

// The first tenth warms up.
class Receiving final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void textReceived(Everwire::PaddedView utf8) override
    {
        if (!m_finder.isEvent(utf8))
            fail(QStringLiteral("message %1 has no type, or another").arg(m_received));
        count();
    }

    void binaryReceived(const QByteArray &bytes) override
    {
        if (bytes.size() != m_size)
            fail(QStringLiteral("message %1 has %2 bytes").arg(m_received).arg(bytes.size()));
        count();
    }

protected:
    void start() override { open(*m_client); }

private:
    void count()
    {
        if (++m_received == m_warm)
            m_clock.start();
        else if (m_received == m_count)
            finish(rates(m_clock.span(), m_count - m_warm));
    }

    const int m_size = number("size");
    const int m_count = number("count");
    const int m_warm = std::max(1, m_count / 10);
    int m_received = 0;
    Clock m_clock;
    TypeFinder m_finder;
    std::unique_ptr<Client> m_client = connectClient();
};

class Sending final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void opened() override
    {
        m_isOpen = true;
        pump();
    }

    // The upgrade's request is written, too.
    void written() override
    {
        if (m_isOpen)
            pump();
    }

    void textReceived(Everwire::PaddedView utf8) override
    {
        const QJsonObject counted = QJsonDocument::fromJson(utf8.toByteArray()).object();
        const qint64 payload = qint64(m_count) * number("size");
        if (counted.contains(QLatin1String("error")) ||
            counted[QLatin1String("payload")].toInteger() != payload)
            return fail(QStringLiteral("the server says: %1").arg(QString::fromUtf8(utf8.bytes())));
        QJsonObject result = rates(m_clock.span(), m_count - m_warm);
        const qint64 plain = qint64(m_count) * clientFrame(Text, m_messages.front()).size();
        result[QLatin1String("wire")] = counted[QLatin1String("wire")].toDouble() / double(plain) * 100;
        finish(result);
    }

protected:
    void start() override
    {
        m_client->prepare(m_messages, isText());
        open(*m_client);
    }

private:
    void pump()
    {
        constexpr qint64 most = 1024 * 1024;
        if (m_isPumping)
            return; // flush() tells of what it has written
        m_isPumping = true;
        while (m_sent < m_count && m_client->bytesToWrite() < most) {
            while (m_sent < m_count && m_client->bytesToWrite() < most) {
                if (m_sent == m_warm)
                    m_clock.start();
                m_client->send(size_t(m_sent) % m_messages.size());
                ++m_sent;
            }
            m_client->flush();
        }
        m_isPumping = false;
    }

    const int m_count = number("count");
    const int m_warm = m_count / 10;
    const std::vector<QByteArray> m_messages = corpusOf(isText(), number("size"), m_count);
    int m_sent = 0;
    bool m_isOpen = false;
    bool m_isPumping = false;
    Clock m_clock;
    std::unique_ptr<Client> m_client = connectClient();
};

class RoundTrips final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void opened() override
    {
        m_all.start();
        sendOne();
    }

    void textReceived(Everwire::PaddedView utf8) override
    {
        if (utf8.bytes() != QByteArrayView(m_messages.front()))
            return fail(QStringLiteral("the echo differs"));
        m_times.push_back(m_clock.span().wall * 1e6);
        if (int(m_times.size()) < m_count)
            return sendOne();
        const double cpu = m_all.span().cpu * 1e6 / m_count;
        m_times.erase(m_times.begin(), m_times.begin() + m_count / 10);
        finish({{QStringLiteral("p50"), quantile(m_times, 0.5)},
                {QStringLiteral("p99"), quantile(m_times, 0.99)},
                {QStringLiteral("cpu"), cpu}});
    }

protected:
    void start() override
    {
        m_client->prepare(m_messages, true);
        open(*m_client);
    }

private:
    void sendOne()
    {
        m_clock.start();
        m_client->send(0);
        m_client->flush();
    }

    const int m_count = number("count");
    const std::vector<QByteArray> m_messages = events(number("size"), 1);
    std::vector<double> m_times; // µs
    Clock m_all;
    Clock m_clock; // of one trip
    std::unique_ptr<Client> m_client = connectClient();
};

// Connections that are open and do nothing, any more or from the beginning.
class Idling final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void opened() override
    {
        m_received = 0;
        if (m_messages == 0)
            goOn();
    }

    void textReceived(Everwire::PaddedView) override
    {
        if (++m_received == m_messages)
            goOn();
    }

protected:
    void start() override { next(); }

private:
    void goOn()
    {
        // What the first ones cost is the libraries'.
        constexpr size_t warm = 3;
        if (m_clients.size() == warm)
            m_before = residentBytes();
        if (m_clients.size() < warm + size_t(m_count)) {
            // Later: this one's socket is not done with what it is at.
            QTimer::singleShot(0, context(), [this] { next(); });
            return;
        }
        QTimer::singleShot(500, context(), [this] {
            finish({{QStringLiteral("memory"), double(residentBytes() - m_before) / 1024 / m_count}});
        });
    }

    void next()
    {
        m_clients.push_back(connectClient());
        open(*m_clients.back());
    }

    const int m_count = number("connections");
    const int m_messages = number("count");
    int m_received = 0;
    qint64 m_before = 0;
    std::vector<std::unique_ptr<Client>> m_clients;
};

// A numbered stream whose consumer rests in the middle.
class Pausing final : public PeerMeasurement
{
public:
    using PeerMeasurement::PeerMeasurement;

    void opened() override { m_before = residentBytes(); }

    void binaryReceived(const QByteArray &bytes) override
    {
        quint64 number = 0;
        if (bytes.size() == m_size)
            std::memcpy(&number, bytes.constData(), sizeof number);
        if (m_isPaused)
            return fail(QStringLiteral("message %1 came in the pause").arg(m_received));
        if (bytes.size() != m_size || number != quint64(m_received))
            return fail(QStringLiteral("message %1 came where %2 should").arg(number).arg(m_received));
        if (++m_received == m_count / 2)
            rest();
        if (m_received == m_count)
            finish({{QStringLiteral("growth"), double(peakResidentBytes() - m_before) / 1024 / 1024}});
    }

protected:
    void start() override { open(*m_client); }

private:
    void rest()
    {
        m_isPaused = true;
        m_client->setPaused(true);
        QTimer::singleShot(number("pause"), context(), [this] {
            m_isPaused = false;
            m_client->setPaused(false);
        });
    }

    const int m_size = number("size");
    const int m_count = number("count");
    int m_received = 0;
    bool m_isPaused = false;
    qint64 m_before = 0;
    std::unique_ptr<Client> m_client = connectClient();
};

QJsonObject runAny(const Task &task)
{
    if (task.peer == QLatin1String(RawPeer))
        return runRaw(task);
#ifdef EVERWIRE_BENCH_BEAST
    if (task.peer == QLatin1String(BeastPeer))
        return runBeast(task);
#endif
    if (isForApp(task))
        return runApp(task);
    const Peer *peer = findPeer(task.peer);
    if (!peer)
        return failure(QStringLiteral("no such peer"));
    if (isLive(task))
        return runLive(task, *peer);
    const QString path = QUrl(task.url).path();
    if (QUrlQuery(QUrl(task.url)).hasQueryItem(QStringLiteral("pause")))
        return runWith<Pausing>(task, *peer);
    if (QUrlQuery(QUrl(task.url)).hasQueryItem(QStringLiteral("connections")))
        return runWith<Idling>(task, *peer);
    if (path == QLatin1String("/receive"))
        return runWith<Receiving>(task, *peer);
    if (path == QLatin1String("/send"))
        return runWith<Sending>(task, *peer);
    if (path == QLatin1String("/echo"))
        return runWith<RoundTrips>(task, *peer);
    return failure(QStringLiteral("no such task"));
}

} // namespace

int run(const Task &task)
{
    QSslConfiguration configuration = QSslConfiguration::defaultConfiguration();
    configuration.addCaCertificate(certificate());
    QSslConfiguration::setDefaultConfiguration(configuration);
    return print(runAny(task));
}

} // namespace Bench
