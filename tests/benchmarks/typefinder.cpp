// SPDX-License-Identifier: MIT
#include "typefinder.h"

#include <simdjson.h>

#include <string_view>

namespace Bench {

struct TypeFinder::Parser
{
    simdjson::ondemand::parser ondemand;
};

TypeFinder::TypeFinder() : m_parser(std::make_unique<Parser>()) {}
TypeFinder::~TypeFinder() = default;

bool TypeFinder::isEvent(Everwire::PaddedView json)
{
    static_assert(Everwire::Padding >= qsizetype(simdjson::SIMDJSON_PADDING));
    simdjson::ondemand::document document;
    const size_t size = size_t(json.size());
    std::string_view type;
    return m_parser->ondemand.iterate(json.data(), size, size + Everwire::Padding).get(document) ==
               simdjson::SUCCESS &&
           document["type"].get_string().get(type) == simdjson::SUCCESS && type == "ai_response";
}

} // namespace Bench
