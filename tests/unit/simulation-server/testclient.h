// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QWebSocket>

/// A WebSocket that keeps what it receives. It is not the library's own client on purpose: the
/// server is tested against Qt's.
class TestClient : public QWebSocket
{
public:
    TestClient()
    {
        connect(this, &QWebSocket::textMessageReceived, this, [this](const QString &text) {
            texts.append(text);
            messages.append(QJsonDocument::fromJson(text.toUtf8()).object());
        });
        connect(this, &QWebSocket::disconnected, this, [this] { ended = true; });
    }

    // QWebSocket's destructor still emits, when the members here are gone.
    ~TestClient() override { disconnect(); }

    void sendJson(const QJsonObject &message)
    {
        sendTextMessage(QString::fromUtf8(QJsonDocument(message).toJson(QJsonDocument::Compact)));
    }

    /// Opens \a url and authenticates with \a token as soon as the socket is open.
    void start(const QUrl &url, const QString &token)
    {
        connect(this, &QWebSocket::connected, this, [this, token] {
            sendJson({{QStringLiteral("type"), QStringLiteral("auth")}, {QStringLiteral("token"), token}});
        });
        open(url);
    }

    /// Sends \a data in form A: a header and its frame.
    void sendChunk(int sequence, const QByteArray &data)
    {
        sendJson({{QStringLiteral("type"), QStringLiteral("audio_chunk")},
                  {QStringLiteral("sessionId"), QStringLiteral("test")},
                  {QStringLiteral("sequence"), sequence},
                  {QStringLiteral("timestamp"), 0},
                  {QStringLiteral("size"), data.size()}});
        sendBinaryMessage(data);
    }

    /// Sends \a data in form B: base64 in the message.
    void sendEncodedChunk(int sequence, const QByteArray &data, const QString &format)
    {
        const QJsonObject payload{{QStringLiteral("chunk"), QString::fromLatin1(data.toBase64())},
                                  {QStringLiteral("sequence"), sequence},
                                  {QStringLiteral("format"), format}};
        sendJson(
            {{QStringLiteral("type"), QStringLiteral("audio_chunk")}, {QStringLiteral("payload"), payload}});
    }

    void completeTurn(int lastSequence = -1)
    {
        QJsonObject message{{QStringLiteral("type"), QStringLiteral("audio_complete")}};
        if (lastSequence >= 0)
            message.insert(QStringLiteral("sequence"), lastSequence);
        sendJson(message);
    }

    [[nodiscard]] QList<QJsonObject> ofType(const QString &type) const
    {
        QList<QJsonObject> found;
        for (const QJsonObject &message : messages) {
            if (message.value(QStringLiteral("type")).toString() == type)
                found.append(message);
        }
        return found;
    }

    [[nodiscard]] int count(const QString &type) const { return int(ofType(type).size()); }

    /// The text of error \a index, empty when there are fewer.
    [[nodiscard]] QString errorText(int index = 0) const
    {
        const QList<QJsonObject> errors = ofType(QStringLiteral("error"));
        return index < errors.size() ? errors[index]
                                           .value(QStringLiteral("payload"))
                                           .toObject()
                                           .value(QStringLiteral("error"))
                                           .toString()
                                     : QString();
    }

    /// How often a status message with \a state came.
    [[nodiscard]] int statusCount(const QString &state) const
    {
        int found = 0;
        for (const QJsonObject &message : ofType(QStringLiteral("status")))
            found += message.value(QStringLiteral("state")).toString() == state ? 1 : 0;
        return found;
    }

    /// The parts of all replies together.
    [[nodiscard]] QString reply() const
    {
        QString text;
        for (const QJsonObject &message : ofType(QStringLiteral("ai_response")))
            text += message.value(QStringLiteral("content")).toString();
        return text;
    }

    QList<QString> texts;
    QList<QJsonObject> messages;
    bool ended = false;
};
