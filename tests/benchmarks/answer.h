// SPDX-License-Identifier: MIT
#pragma once

#include <QMetaType>
#include <QString>

namespace Bench {

// What an app wants of an `ai_response`: two of its fields.
struct Answer
{
    Q_GADGET
    Q_PROPERTY(QString content MEMBER content)
    Q_PROPERTY(QString timestamp MEMBER timestamp)

public:
    QString content;
    QString timestamp;
};

} // namespace Bench
