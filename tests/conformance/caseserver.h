// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"
#include "outcome.h"

#include <QObject>
#include <QThread>
#include <QUrl>

#include <memory>
#include <mutex>
#include <optional>

class QTcpServer;

// Plays cases on a port of its own, on a thread of its own. All functions are thread-safe.
class CaseServer : public QObject
{
    Q_OBJECT

public:
    enum class Security { Plain, Tls };

    explicit CaseServer(quint16 port = 0, Security security = Security::Plain);
    ~CaseServer() override;
    Q_DISABLE_COPY_MOVE(CaseServer)

    [[nodiscard]] QUrl url() const { return m_url; }
    // The next client to connect gets this case, which must outlive the server.
    void prepare(const Case &aCase);
    // Once after each played().
    [[nodiscard]] std::optional<Outcome> takeOutcome();

Q_SIGNALS:
    void played();

private:
    void accept();

    QThread m_thread;
    std::unique_ptr<QObject> m_context;
    QTcpServer *m_server = nullptr;
    QUrl m_url;

    std::mutex m_mutex; // guards all below
    const Case *m_case = nullptr;
    std::optional<Outcome> m_outcome;
};
