// SPDX-License-Identifier: MIT
#include "caseserver.h"

#include "player.h"

#include "support/rawserver.h"

#include <QSslServer>

#include <utility>

namespace {

QTcpServer *makeServer(CaseServer::Security security, QObject *parent)
{
    if (security == CaseServer::Security::Plain)
        return new QTcpServer(parent);
    auto *server = new QSslServer(parent);
    server->setSslConfiguration(RawServer::tls());
    return server;
}

} // namespace

CaseServer::CaseServer(quint16 port, Security security) : m_context(std::make_unique<QObject>())
{
    m_context->moveToThread(&m_thread);
    m_thread.setObjectName(QStringLiteral("cases"));
    m_thread.start();
    QMetaObject::invokeMethod(
        m_context.get(),
        [this, port, security] {
            m_server = makeServer(security, m_context.get());
            if (!m_server->listen(QHostAddress::LocalHost, port))
                qFatal("the server of the cases cannot listen: %s", qPrintable(m_server->errorString()));
            const QString scheme = security == Security::Tls ? QStringLiteral("wss") : QStringLiteral("ws");
            m_url = QUrl(QStringLiteral("%1://127.0.0.1:%2/").arg(scheme).arg(m_server->serverPort()));
            // Over TLS only this signal waits for the handshake.
            QObject::connect(m_server, &QTcpServer::pendingConnectionAvailable, m_context.get(),
                             [this] { accept(); });
        },
        Qt::BlockingQueuedConnection);
}

CaseServer::~CaseServer()
{
    m_context.release()->deleteLater();
    m_thread.quit();
    m_thread.wait();
}

void CaseServer::prepare(const Case &aCase)
{
    const std::lock_guard lock(m_mutex);
    m_case = &aCase;
    m_outcome.reset();
}

std::optional<Outcome> CaseServer::takeOutcome()
{
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_outcome, {});
}

void CaseServer::accept()
{
    QTcpSocket *socket = m_server->nextPendingConnection();
    const Case *next = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        next = std::exchange(m_case, nullptr);
    }
    if (!next) {
        socket->deleteLater();
        return;
    }
    auto *player = new Player(socket, next->script());
    player->setParent(m_server);
    QObject::connect(player, &Player::played, m_context.get(), [this, player](const Outcome &outcome) {
        {
            const std::lock_guard lock(m_mutex);
            m_outcome = outcome;
        }
        player->deleteLater();
        Q_EMIT played();
    });
    player->start();
}
