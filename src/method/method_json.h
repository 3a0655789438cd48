#pragma once
/// Decoding methods as JSON.

#include <nlohmann/json.hpp>

#include "method/decoding_method.h"

namespace lazymar {

/// What differs from plain MAR as released, so that members added later do not change today's
/// texts: {} for MAR, {"name": "lazymar", "cache": {"policy": "lazymar"}} for LazyMAR.
nlohmann::ordered_json method_json(const DecodingMethod& method);

/// Reads it back. Throws Error (usage) for unknown keys (listing the known ones) and for values of
/// another type. make_plan() checks names and ranges.
DecodingMethod method_from_json(const nlohmann::ordered_json& json);

}  // namespace lazymar
