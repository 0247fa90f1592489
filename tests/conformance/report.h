// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"
#include "outcome.h"

#include <QByteArray>

#include <map>
#include <string>
#include <vector>

struct TransportResults
{
    std::string transport;
    std::map<std::string, Outcome> outcomes;    // by case
    std::map<std::string, std::string> reasons; // why it does not pass, by what its cases are called
};

// Markdown: for each group how many cases there are of each verdict, then all cases.
QByteArray conformanceReport(const std::vector<TransportResults> &results);
