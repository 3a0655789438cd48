#pragma once
/// A hash that is the same on every platform and in every build, unlike std::hash.

#include <cstdint>
#include <string_view>

namespace lazymar {

/// FNV-1a, 64 bits. Not for anything that an adversary may choose.
constexpr uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

// Known answers of the algorithm's authors.
static_assert(fnv1a("") == 0xcbf29ce484222325 && fnv1a("a") == 0xaf63dc4c8601ec8c);

}  // namespace lazymar
