// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArrayView>
#include <QString>

namespace Everwire {

// A type that messages have, kept for as long as the process runs: two threads that pass on messages with a string each
// would fight over its reference count. nullptr for a long one, and for those beyond the first few thousand, which a
// hostile peer might make up; these stay strings. Any thread.
[[nodiscard]] const QString *internType(QByteArrayView utf8);

} // namespace Everwire
