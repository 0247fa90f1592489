// SPDX-License-Identifier: MIT
#pragma once

#include "core/padded.h"

#include <memory>

namespace Bench {

// Finds an event's `type` with simdjson, on demand: what anybody has to do with every message.
class TypeFinder
{
public:
    TypeFinder();
    ~TypeFinder();
    Q_DISABLE_COPY_MOVE(TypeFinder)

    // Whether it is one of the corpus.
    bool isEvent(Everwire::PaddedView json);

private:
    struct Parser;
    std::unique_ptr<Parser> m_parser;
};

} // namespace Bench
