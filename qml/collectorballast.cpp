// SPDX-License-Identifier: MIT
#include "collectorballast.h"

#include <QJSEngine>

#include <array>

namespace Everwire {

namespace {

constexpr size_t Length = 1024 * 1024; // UTF-16 code units
std::array<QChar, Length> zeros;       // nobody reads or writes them, so they never get a page of memory

} // namespace

void CollectorBallast::load(QJSEngine *engine)
{
    if (!engine->findChild<CollectorBallast *>(QString(), Qt::FindDirectChildrenOnly))
        new CollectorBallast(engine);
}

CollectorBallast::CollectorBallast(QJSEngine *engine)
    : QObject(engine)
    , m_string(engine->toScriptValue(QString::fromRawData(zeros.data(), qsizetype(zeros.size()))))
{
}

} // namespace Everwire
