// SPDX-License-Identifier: MIT
#include "casebuilding.h"

#include <algorithm>

const std::vector<Case> &allCases()
{
    static const std::vector<Case> cases = [] {
        std::vector<Case> all;
        addFramingCases(all);
        addUtf8Cases(all);
        addCloseCases(all);
        addLoadCases(all);
        addAutoFragmentationCase(all);
        addCompressionCases(all);
        return all;
    }();
    return cases;
}

const std::vector<Group> &allGroups()
{
    static const std::vector<Group> groups = {
        {"1", "Framing"},
        {"2", "Pings and pongs"},
        {"3", "Reserved bits"},
        {"4", "Opcodes"},
        {"5", "Fragmentation"},
        {"6", "UTF-8"},
        {"7", "Closing"},
        {"9", "Large messages, and many"},
        {"10", "Messages that the sender fragments"},
        {"12", "Compression: different payloads"},
        {"13", "Compression: different parameters"},
    };
    return groups;
}

std::string groupOf(const Case &aCase)
{
    return aCase.id.substr(0, aCase.id.find('.'));
}

int roundsPerCase()
{
    static const int rounds = [] {
        const int wanted = qEnvironmentVariableIntValue("EVERWIRE_CONFORMANCE_ROUNDS");
        return wanted > 0 ? wanted : 50;
    }();
    return rounds;
}
