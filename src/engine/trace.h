// SPDX-License-Identifier: MIT
// For the engine's own files only.
#pragma once

#include "core/logging.h"

// Debugging one connection must not take a logging rule (rule C4).
#define everwireTrace(category)                                                                              \
    if (!m_debug && !category().isDebugEnabled()) {                                                          \
    } else                                                                                                   \
        QMessageLogger(nullptr, 0, nullptr, category().categoryName()).info().noquote()                      \
            << m_around.name << "-"
