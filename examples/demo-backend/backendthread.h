// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QString>
#include <QThread>
#include <QUrl>

namespace Everwire::Demo {

class DemoBackend;

// A DemoBackend inside of this process, on a thread and a port of its own, with a secret that nobody else knows.
//
//     BackendThread backend;
//     provider->setToken(backend.token());
//     provider->configure("prices", ConnectionConfig().setUrl(backend.url().toString() + "/prices"));
class BackendThread : public QObject
{
    Q_OBJECT

public:
    explicit BackendThread(double pace = 1, QObject *parent = nullptr);
    ~BackendThread() override;

    // Empty where it could not listen; errorString() says why.
    [[nodiscard]] QUrl url() const { return m_url; }
    [[nodiscard]] QString token() const { return m_token; }
    [[nodiscard]] QString errorString() const { return m_error; }

public Q_SLOTS:
    // Cuts every line, as a lost network does.
    void dropAll();

private:
    QThread m_thread;
    DemoBackend *m_backend; // of m_thread
    QUrl m_url;
    QString m_token;
    QString m_error;
};

} // namespace Everwire::Demo
