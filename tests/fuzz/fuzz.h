#pragma once
/// Every fuzz target requires an Error (usage) of one line, or consistent content.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "core/error.h"
#include "formats/weight_content.h"

namespace lazymar::fuzz {

inline std::span<const std::byte> file(const uint8_t* data, size_t size) {
  return std::as_bytes(std::span(data, size));
}

inline void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

/// Reads every byte, so that AddressSanitizer finds accesses out of bounds.
inline void touch(std::span<const std::byte> bytes) {
  static volatile std::byte sink{};
  for (const std::byte byte : bytes) {
    sink = byte;
  }
  static_cast<void>(sink);
}

template <typename Parse>
void refused_or(Parse&& parse) {
  try {
    parse();
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::kInvalid);
    require(std::string(error.what()).find('\n') == std::string::npos);
    require(std::string(error.what()).starts_with("file: byte "));
  }
}

/// `parse` returns a WeightContent. All elements of a tensor must be within its bytes.
template <typename Parse>
void refused_or_readable(Parse&& parse) {
  refused_or([&] {
    const WeightContent content = parse();
    for (const auto& [name, view] : content.tensors) {
      int64_t count = 1;
      int64_t last = 0;
      for (size_t i = 0; i < view.shape.size(); ++i) {
        count *= view.shape[i];
        last += view.strides.empty() ? 0 : (view.shape[i] - 1) * view.strides[i];
      }
      const auto needed = count == 0 ? 0 : (view.strides.empty() ? count : last + 1);
      require(static_cast<int64_t>(view.bytes.size()) == needed * element_size(view.type));
      require(!view.record || *view.record < content.records.size());
      touch(view.bytes);
    }
  });
}

}  // namespace lazymar::fuzz
