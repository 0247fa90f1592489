// SPDX-License-Identifier: MIT
#include "client/handler.h"

#include <QMetaProperty>

namespace Everwire::Detail {

void fillGadget(const QMetaObject &type, void *gadget, const QJsonObject &object)
{
    for (int i = 0; i < type.propertyCount(); ++i) {
        const QMetaProperty property = type.property(i);
        const auto found = object.constFind(QLatin1String(property.name()));
        if (found != object.constEnd() && property.isWritable())
            property.writeOnGadget(gadget, found->toVariant());
    }
}

template<>
SessionInfo toGadget(const Message &message)
{
    const QJsonObject object = message.json();
    return {object.value(QLatin1String("sessionId")).toString(),
            object.value(QLatin1String("userId")).toString(),
            object.value(QLatin1String("timestamp")).toString()};
}

template<>
ConnectionError toGadget(const Message &message)
{
    const QJsonObject object = message.json();
    return {static_cast<ConnectionError::Code>(object.value(QLatin1String("code")).toInt()),
            object.value(QLatin1String("message")).toString(),
            object.value(QLatin1String("closeCode")).toInt(),
            object.value(QLatin1String("isFinal")).toBool()};
}

} // namespace Everwire::Detail
