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

} // namespace Everwire::Detail
