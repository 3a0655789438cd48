#pragma once
/// A hash that is the same on every platform and in every build, unlike std::hash.

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace lazymar {

/// FNV-1a, 64 bits. Not safe against an adversary.
constexpr uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

/// The same as 16 hexadecimal digits.
inline std::string fnv1a_hex(std::string_view text) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(fnv1a(text)));
  return digits;
}

// Test vectors from the algorithm's authors.
static_assert(fnv1a("") == 0xcbf29ce484222325 && fnv1a("a") == 0xaf63dc4c8601ec8c);

}  // namespace lazymar
