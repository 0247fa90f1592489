// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qglobal.h>

#if defined(EVERWIRE_STATIC)
#define EVERWIRE_EXPORT
#elif defined(Everwire_EXPORTS)
#define EVERWIRE_EXPORT Q_DECL_EXPORT
#else
#define EVERWIRE_EXPORT Q_DECL_IMPORT
#endif
