// SPDX-License-Identifier: MIT
#include "figures.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include <malloc.h>

namespace Figures {

namespace {

// "VmRSS:     1234 kB"
qint64 status(const std::string &name)
{
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (line.compare(0, name.size(), name) == 0)
            return std::stoll(line.substr(name.size() + 1)) * KiB;
    }
    return 0;
}

} // namespace

qint64 resident()
{
    return status("VmRSS");
}

qint64 mostResident()
{
    return status("VmHWM");
}

void tell(const char *name, qint64 value)
{
    std::printf("%s %lld\n", name, static_cast<long long>(value));
    std::fflush(stdout);
}

void blockUntilTold()
{
    std::string line;
    std::getline(std::cin, line);
}

Growth::Growth()
{
    malloc_trim(0);                              // what was freed before is no room for what comes
    std::ofstream("/proc/self/clear_refs") << 5; // the most begins anew
    m_before = resident();
}

qint64 Growth::now() const
{
    return std::max<qint64>(0, resident() - m_before);
}

qint64 Growth::most() const
{
    return std::max<qint64>(0, mostResident() - m_before);
}

} // namespace Figures
