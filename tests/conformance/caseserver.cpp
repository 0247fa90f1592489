// SPDX-License-Identifier: MIT
#include "caseserver.h"

#include "player.h"

#include <QTcpServer>

#include <utility>

CaseServer::CaseServer(quint16 port) : m_context(std::make_unique<QObject>())
{
    m_context->moveToThread(&m_thread);
    m_thread.setObjectName(QStringLiteral("cases"));
    m_thread.start();
    QMetaObject::invokeMethod(
        m_context.get(),
        [this, port] {
            m_server = new QTcpServer(m_context.get());
            if (!m_server->listen(QHostAddress::LocalHost, port))
                qFatal("the server of the cases cannot listen: %s", qPrintable(m_server->errorString()));
            m_url = QUrl(QStringLiteral("ws://127.0.0.1:%1/").arg(m_server->serverPort()));
            QObject::connect(m_server, &QTcpServer::newConnection, m_context.get(), [this] { accept(); });
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
