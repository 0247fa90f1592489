// SPDX-License-Identifier: MIT
#include "core/typename.h"

#include <QHash>
#include <QMutex>

#include <memory>

namespace Everwire {

const QString *internType(QByteArrayView utf8)
{
    constexpr qsizetype longest = 100;
    constexpr qsizetype most = 4096;
    static QMutex mutex;
    static QHash<QByteArray, std::shared_ptr<const QString>> types;

    if (utf8.isEmpty() || utf8.size() > longest)
        return nullptr;
    const QMutexLocker lock(&mutex);
    const auto found = types.constFind(QByteArray::fromRawData(utf8.data(), utf8.size()));
    if (found != types.constEnd())
        return found->get();
    if (types.size() >= most)
        return nullptr;
    return types.insert(utf8.toByteArray(), std::make_shared<const QString>(QString::fromUtf8(utf8)))->get();
}

} // namespace Everwire
