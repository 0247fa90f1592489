// SPDX-License-Identifier: MIT
#pragma once

#include <QJSValue>
#include <QObject>

namespace Everwire {

// Makes a JavaScript engine collect its garbage less often while strings stream through it.
//
// QML collects when the texts of strings that came to be since the last time pass a limit, 128 KiB at first and twice what
// is alive later. An app whose own strings are few is cleaned at every few hundred messages, each time through all
// that it has. A string of 2 MiB that is alive moves the limit to 4 MiB; its text is constant and takes no memory, the
// garbage up to 2 MiB of it.
class CollectorBallast final : public QObject
{
    Q_OBJECT

public:
    // Once for each engine, for as long as that lives.
    static void load(QJSEngine *engine);

private:
    explicit CollectorBallast(QJSEngine *engine);

    QJSValue m_string;
};

} // namespace Everwire
