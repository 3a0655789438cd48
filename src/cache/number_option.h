#pragma once
/// The option of a cache policy that has only one, a whole number.

#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "method/decoding_method.h"

namespace lazymar {

struct NumberOption {
  std::string_view name;
  int64_t least = 0;
  std::string_view use;  ///< for the message: "interval=N from 1"

  /// The given value, else `standard`.
  int64_t value(const CacheSpec& cache, int64_t standard) const {
    const auto given = cache.options.find(std::string(name));
    return given == cache.options.end() ? standard : parse_index(given->second);
  }

  /// Throws Error (usage) for another option, and for a value that is none.
  void check(const CacheSpec& cache) const {
    for (const auto& [other, text] : cache.options) {
      if (other != name || parse_index(text) < least) {
        throw usage_error("cache policy ", cache.policy, ": ", other, "=", text, ": use ", use);
      }
    }
  }
};

}  // namespace lazymar
