// SPDX-License-Identifier: MIT
#include "backendthread.h"

#include "demobackend.h"
#include "jsonwebtoken.h"

#include <QRandomGenerator>

#include <array>

namespace Everwire::Demo {

namespace {

QByteArray randomSecret()
{
    std::array<quint32, minimumSecretBytes / sizeof(quint32)> words{};
    QRandomGenerator::system()->generate(words.begin(), words.end());
    return {reinterpret_cast<const char *>(words.data()), minimumSecretBytes};
}

} // namespace

BackendThread::BackendThread(double pace, QObject *parent)
    : QObject(parent), m_backend(new DemoBackend(randomSecret(), pace))
{
    m_backend->moveToThread(&m_thread);
    QObject::connect(&m_thread, &QThread::finished, m_backend, &QObject::deleteLater);
    m_thread.setObjectName(QStringLiteral("demo-backend"));
    m_thread.start();
    QMetaObject::invokeMethod(
        m_backend,
        [this] {
            if (m_backend->listen())
                m_url = m_backend->url();
            else
                m_error = m_backend->errorString();
            m_token = m_backend->token();
        },
        Qt::BlockingQueuedConnection);
}

BackendThread::~BackendThread()
{
    m_thread.quit();
    m_thread.wait();
}

void BackendThread::dropAll()
{
    QMetaObject::invokeMethod(m_backend, &DemoBackend::dropAll);
}

} // namespace Everwire::Demo
