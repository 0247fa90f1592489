// SPDX-License-Identifier: MIT
#pragma once

#include "support/testserver.h"

#include <QObject>
#include <QtQmlIntegration>

// The test server for tests in QML. It runs on its own thread: look at it with tryVerify() and tryCompare().
class QmlServer : public QObject
{
    Q_OBJECT
    QML_NAMED_ELEMENT(TestServer)
    Q_PROPERTY(QString url READ url CONSTANT FINAL)

public:
    using QObject::QObject;

    [[nodiscard]] QString url() const { return m_server.url().toString(); }
    // Messages since the last clear(), without authentication: text, and binary as Latin-1.
    Q_INVOKABLE QStringList messages() const;
    Q_INVOKABLE int connectionsSoFar() const { return m_server.connectionsSoFar(); }
    Q_INVOKABLE int openConnections() const { return m_server.openConnections(); }
    Q_INVOKABLE void clear() { m_server.clear(); }

    Q_INVOKABLE void sendText(const QString &text) { m_server.sendText(text.toUtf8()); }
    // {"type": type, "n": 1} to {"type": type, "n": count}.
    Q_INVOKABLE void sendMany(const QString &type, int count);
    Q_INVOKABLE void sendBinary(const QByteArray &bytes) { m_server.sendBinary(bytes); }
    // Whether it leaves authentication without an answer.
    Q_INVOKABLE void setSilent(bool silent)
    {
        m_server.setAuth(silent ? TestServer::Auth::Silent : TestServer::Auth::Accept);
    }
    Q_INVOKABLE void drop() { m_server.drop(); }

private:
    TestServer m_server;
};
