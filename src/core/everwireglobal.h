// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qglobal.h>

// Everwire is a shared library: one WebSocketProvider::instance() for an app and all its plugins.
#if defined(Everwire_EXPORTS)
#define EVERWIRE_EXPORT Q_DECL_EXPORT
#else
#define EVERWIRE_EXPORT Q_DECL_IMPORT
#endif
