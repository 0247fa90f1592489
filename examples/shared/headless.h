// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

// Whether --headless is among the arguments: asked before there is an application object, which picks its platform when
// it is made.
[[nodiscard]] inline bool wantsHeadless(int argc, char *argv[])
{
    for (int i = 1; i < argc; ++i) {
        if (qstrcmp(argv[i], "--headless") == 0)
            return true;
    }
    return false;
}
