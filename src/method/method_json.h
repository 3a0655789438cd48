#pragma once
/// Decoding methods as JSON.

#include <nlohmann/json.hpp>

#include "method/decoding_method.h"

namespace lazymar {

/// What differs from plain MAR as released, so that what is added to a method later changes no text
/// of today's: {} for MAR, {"name": "lazymar", "cache": {"policy": "lazymar"}} for LazyMAR.
nlohmann::ordered_json method_json(const DecodingMethod& method);

/// Reads it back. Throws Error (usage) for keys that are unknown, with those there are, and for
/// values of another type. Names and ranges are checked where the plan is made.
DecodingMethod method_from_json(const nlohmann::ordered_json& json);

}  // namespace lazymar
