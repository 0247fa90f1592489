// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QtGlobal>

// How a case, in a process of its own, and the test that started it speak: lines on its standard output, "name value",
// and a line on its standard input for each time that it may go on.
namespace Figures {

constexpr qint64 KiB = 1024;
constexpr qint64 MiB = 1024 * KiB;

// What a process has in memory, and what it had at most, in bytes.
[[nodiscard]] qint64 resident();
[[nodiscard]] qint64 mostResident();

// Tells the test.
void tell(const char *name, qint64 value = 0);
// Blocks this thread, whatever its event loop has to do, until the test says so.
void blockUntilTold();

// From its making on.
class Growth
{
public:
    Growth();
    // Since then: what there is now, and what there was at most, beyond what there was.
    [[nodiscard]] qint64 now() const;
    [[nodiscard]] qint64 most() const;

private:
    qint64 m_before;
};

} // namespace Figures
