#pragma once
/// JSON from an untrusted file.

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lazymar {

/// Input that parse_strict_json refuses and a plain parser accepts.
struct DuplicateKey : std::runtime_error {
  using std::runtime_error::runtime_error;  ///< what() is the key
};
struct NestsTooDeep : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Parses `text`, of at most `max_depth` nested values, each key of an object once. Takes time in
/// proportion to the text, which nlohmann::json::parse with a callback does not: it searches an
/// object's members whenever one of them ends. Throws the two above and nlohmann's exceptions.
nlohmann::json parse_strict_json(std::string_view text, size_t max_depth);
/// The same, with the members of objects in the text's order.
nlohmann::ordered_json parse_strict_ordered_json(std::string_view text, size_t max_depth);

}  // namespace lazymar
