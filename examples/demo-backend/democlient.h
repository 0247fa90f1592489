// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QObject>
#include <QTimer>

class QWebSocket;

namespace Everwire::Demo {

class ClientChannel;
class Stream;

// One connection: authenticates by its first message, then listens to the stream that its URL names.
class DemoClient : public QObject
{
    Q_OBJECT

public:
    // stream: nullptr for a path that is none's.
    DemoClient(QWebSocket *socket, Stream *stream, const QByteArray &secret, QObject *parent = nullptr);
    ~DemoClient() override;

    void close(quint16 code, const QString &reason);
    // Without a Close frame.
    void drop();

Q_SIGNALS:
    void closed();

private:
    void onText(const QString &text);
    void authenticate(const QJsonObject &message);
    void admit(const QString &user);
    void answer(const QJsonObject &message);

    ClientChannel *m_channel;
    Stream *m_stream;
    QByteArray m_secret;
    QString m_sessionId;
    QTimer m_authDeadline{this};
    bool m_admitted = false;
};

} // namespace Everwire::Demo
