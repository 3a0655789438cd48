#pragma once
/// Drift files with made-up changes.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "run/drift.h"

namespace lazymar::testing {

/// The change of a row between two steps; bf16 keeps 8 bits of it.
using InventedChange = std::function<double(int64_t from, int64_t to, int64_t row)>;

/// Four decoding steps of 8 tokens, and 2 rows of buffer: 8, 6, 3 and 1 rows are masked.
inline DriftHeader small_header(int64_t image = 0) {
  DriftHeader header;
  header.settings = {{"model", "demo"}, {"num_iter", 4}};
  header.image = image;
  header.masked = {8, 6, 3, 1, 0};
  header.rows = 10;
  header.value_layer = 3;
  return header;
}

inline TensorSource invented(const DriftHeader& header, const InventedChange& change) {
  std::vector<uint16_t> halves;
  for (int64_t to = 1; to < header.steps(); ++to) {
    for (int64_t from = 0; from < to; ++from) {
      for (int64_t row = 0; row < header.rows; ++row) {
        const auto value = static_cast<float>(change(from, to, row));
        halves.push_back(static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16));
      }
    }
  }
  return {ElementType::kBF16, {header.pairs(), header.rows}, [halves] {
            return std::as_bytes(std::span(halves));
          }};
}

/// Writes an image's file; without `difference`, as in a run without guidance.
inline void write_invented(const std::filesystem::path& folder, const DriftHeader& header,
                           const InventedChange& output, const InventedChange& difference = {}) {
  std::map<std::string, TensorSource> changes{{"output", invented(header, output)},
                                              {"values", invented(header, output)}};
  if (difference) {
    changes.emplace("difference", invented(header, difference));
  }
  write_drift(folder, header, changes);
}

}  // namespace lazymar::testing
