// SPDX-License-Identifier: MIT
#include "librarypeer.h"

#include "apps.h"
#include "librarysetup.h"

#include <QObject>

namespace Bench {

namespace {

using Everwire::Connection;

class LibraryClient final : public Client
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

    void prepare(const std::vector<QByteArray> &messages, bool isText) override
    {
        m_binaries = messages;
        if (!isText)
            return;
        for (const QByteArray &message : messages)
            m_texts.push_back(QString::fromUtf8(message));
    }

    void send(size_t prepared) override
    {
        if (m_texts.empty())
            m_connection->send(m_binaries[prepared]);
        else
            m_connection->send(m_texts[prepared]);
    }

    [[nodiscard]] qint64 bytesToWrite() const override { return m_connection->bytesToWrite(); }
    void flush() override {} // it needs none
    void setPaused(bool) override {}

private:
    Connection *m_connection = nullptr; // the provider's
    std::vector<QString> m_texts;
    std::vector<QByteArray> m_binaries;
    QObject m_context; // goes first
};

} // namespace

const Peer &libraryPeer()
{
    static const Peer peer = {
        Library, [] { return std::unique_ptr<Client>(std::make_unique<LibraryClient>()); }, Peer::Judged};
    return peer;
}

} // namespace Bench
