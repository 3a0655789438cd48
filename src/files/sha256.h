#pragma once
/// SHA-256 (FIPS 180-4), by libcrypto.

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace lazymar {

/// Hashes bytes piece by piece. Every method throws Error (internal) if libcrypto fails.
class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void update(std::span<const std::byte> bytes);
  /// 64 hexadecimal digits; nothing can be added afterwards.
  std::string digest();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// The hash of `bytes`, 64 hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);

}  // namespace lazymar
