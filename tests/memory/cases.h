// SPDX-License-Identifier: MIT
#pragma once

#include <QString>
#include <QUrl>

// What is measured, each in a process of its own, so that nothing but the case is in its memory: the servers are the
// test's. Each tells figures (figures.h) and returns the process's exit code.
namespace Cases {

struct Arguments
{
    QUrl url;
    int count = 0; // how many, of what the case is about
    int limit = 0; // of the history, where that is what it is about
    bool isQWebSocket = false;
    bool discards = false;     // what is too much
    bool takesObjects = false; // of messages
    QString taken;             // in which form messages are: "json", "gadget", "binary", or not at all
};

[[nodiscard]] int run(const QString &name, const Arguments &arguments);

} // namespace Cases
