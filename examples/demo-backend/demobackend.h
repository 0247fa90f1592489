// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QList>
#include <QObject>
#include <QUrl>

class QWebSocketServer;

namespace Everwire::Demo {

class DemoClient;
class Stream;

// A backend on the loopback interface for examples, with the wire protocol's authentication. Its paths:
//
//     /notifications   {"type":"notification", …}, every 2.5 s, the last 20 again after a reconnect
//     /assessments     {"type":"progress", "percent": 0 … 100}, {"type":"complete", "score"}, and again
//     /prices          {"type":"price","symbol","value"}, 200 times a second
class DemoBackend : public QObject
{
    Q_OBJECT

public:
    // secret: of the tokens, at least minimumSecretBytes. pace: 2 is twice as fast; prices have their own.
    explicit DemoBackend(const QByteArray &secret, double pace = 1, QObject *parent = nullptr);
    ~DemoBackend() override;

    // port 0: any free one. False with the reason in errorString().
    [[nodiscard]] bool listen(quint16 port = 0);
    [[nodiscard]] QString errorString() const;
    // ws://127.0.0.1:port
    [[nodiscard]] QUrl url() const;
    // One that this backend accepts, for an hour.
    [[nodiscard]] QString token() const;

    // Ends every connection without a Close frame.
    void dropAll();

private:
    void accept();
    [[nodiscard]] Stream *streamFor(const QString &path) const;

    QByteArray m_secret;
    QWebSocketServer *m_server;
    Stream *m_notifications;
    Stream *m_assessments;
    Stream *m_prices;
    QList<DemoClient *> m_clients;
};

} // namespace Everwire::Demo
