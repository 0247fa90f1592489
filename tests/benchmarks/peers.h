// SPDX-License-Identifier: MIT
#pragma once

#include "core/padded.h"

#include <QByteArray>
#include <QString>
#include <QUrl>

#include <memory>
#include <vector>

namespace Bench {

// What a measurement hears of its connection.
class ClientListener
{
public:
    virtual void opened() {}
    // The view lives as long as the call.
    virtual void textReceived(Everwire::PaddedView) {}
    virtual void binaryReceived(const QByteArray &) {}
    virtual void written() {}
    virtual void ended(const QString &why) = 0;

protected:
    ~ClientListener() = default;
};

// One connection of one of the peers: as thin as it can be, and the same for all.
class Client
{
public:
    Client() = default;
    virtual ~Client() = default;
    Q_DISABLE_COPY_MOVE(Client)

    void setListener(ClientListener *listener) { m_listener = listener; }

    virtual void open(const QUrl &url, bool compress) = 0;
    // In the form that the peer wants to have, so that no conversion is measured that a user can do beforehand.
    virtual void prepare(const std::vector<QByteArray> &messages, bool isText) = 0;
    virtual void send(size_t prepared) = 0;
    [[nodiscard]] virtual qint64 bytesToWrite() const = 0;
    virtual void flush() = 0;
    virtual void setPaused(bool paused) = 0;

protected:
    [[nodiscard]] ClientListener *listener() const { return m_listener; }

private:
    ClientListener *m_listener = nullptr;
};

// One of those whose texts are QStrings, as Qt's API takes them.
class QtClient : public Client
{
public:
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
            sendBinary(m_binaries[prepared]);
        else
            sendText(m_texts[prepared]);
    }

protected:
    void receive(const QString &text)
    {
        QByteArray utf8 = text.toUtf8();
        utf8.reserve(utf8.size() + Everwire::Padding); // toUtf8() leaves that much room as a rule
        listener()->textReceived({utf8.constData(), utf8.size()});
    }

private:
    virtual void sendText(const QString &text) = 0;
    virtual void sendBinary(const QByteArray &bytes) = 0;

    std::vector<QString> m_texts;
    std::vector<QByteArray> m_binaries;
};

struct Peer
{
    enum Feature { None = 0, Judged = 1, Compresses = 2, Pauses = 4 };

    const char *name;
    std::unique_ptr<Client> (*make)();
    int features; // Judged: the goals are for it
};

// The first is what the others are measured against.
const std::vector<Peer> &peers();
// One of them, or the library itself.
const Peer *findPeer(const QString &name);

} // namespace Bench
