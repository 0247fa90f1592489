// SPDX-License-Identifier: MIT
#include "qmlserver.h"

QStringList QmlServer::messages() const
{
    QStringList list;
    for (const QByteArray &message : m_server.messages())
        list.append(QString::fromLatin1(message));
    return list;
}

void QmlServer::sendMany(const QString &type, int count)
{
    m_server.sendMany(count, [type](int i) {
        return QStringLiteral(R"({"type":"%1","n":%2})").arg(type).arg(i + 1).toUtf8();
    });
}
