// SPDX-License-Identifier: MIT
#include "librarypeer.h"

#include "apps.h"
#include "librarysetup.h"

#include <QObject>

namespace Bench {

namespace {

using Everwire::Connection;

class LibraryClient final : public QtClient
{
public:
    // What it ends with is nothing that a measurement has to hear of.
    ~LibraryClient() override { delete m_connection; }

    void open(const QUrl &url, bool) override
    {
        m_connection = makeConnection(url);
        QObject::connect(m_connection, &Connection::connected, &m_context, [this] { listener()->opened(); });
        QObject::connect(m_connection, &Connection::bytesToWriteChanged, &m_context,
                         [this] { listener()->written(); });
        QObject::connect(m_connection, &Connection::binaryMessageReceived, &m_context,
                         [this](const QByteArray &bytes) { listener()->binaryReceived(bytes); });
        QObject::connect(
            m_connection, &Connection::errorOccurred, &m_context,
            [this](const Everwire::ConnectionError &error) { listener()->ended(error.message()); });
        m_connection->subscribe(QStringLiteral("*"), &m_context, [this](const Everwire::Message &message) {
            const QByteArray utf8 = message.bytes();
            listener()->textReceived(
                {utf8.constData(), utf8.size()}); // nobody here asks for the room behind it
        });
        m_connection->open();
    }

    [[nodiscard]] qint64 bytesToWrite() const override { return m_connection->bytesToWrite(); }
    void flush() override {} // it needs none
    void setPaused(bool) override {}

private:
    void sendText(const QString &text) override { m_connection->send(text); }
    void sendBinary(const QByteArray &bytes) override { m_connection->send(bytes); }

    Connection *m_connection = nullptr; // the provider's
    QObject m_context;                  // goes first
};

} // namespace

const Peer &libraryPeer()
{
    static const Peer peer = {
        Library, [] { return std::unique_ptr<Client>(std::make_unique<LibraryClient>()); }, Peer::Judged};
    return peer;
}

} // namespace Bench
