#pragma once
/// tests/data/metrics/golden.npz: results of torch-fidelity 0.4.0 (see make_golden.py there).

#include <ATen/ATen.h>

#include <cstdio>
#include <string>

#include "formats/npz.h"

namespace lazymar::testing {

/// An array of the file: uint8 and float32 unchanged, others as float64.
inline at::Tensor golden(const std::string& name) {
  static const NpzFile file(std::string(LAZYMAR_SOURCE_DIR) + "/tests/data/metrics/golden.npz");
  const NpyArray array = file.arrays().array(name);
  const auto values = to_doubles(array, name);
  const at::Tensor tensor = at::tensor(values, c10::kDouble).view(array.shape);
  if (array.type == ElementType::kU8) {
    return tensor.to(c10::kByte);
  }
  return array.type == ElementType::kF32 ? tensor.to(c10::kFloat) : tensor;
}

/// A hash of the file, as hexadecimal digits.
inline std::string golden_hash(const std::string& name) {
  std::string digits;
  const at::Tensor bytes = golden(name);
  for (int64_t i = 0; i < bytes.numel(); ++i) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", bytes[i].item<uint8_t>());
    digits += two;
  }
  return digits;
}

inline double golden_number(const std::string& name, int64_t i = 0) {
  return golden(name).flatten()[i].item<double>();
}

/// max |a - b| / max |b|.
inline double relative_error(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor wanted = b.to(c10::kDouble);
  return ((a.to(c10::kDouble) - wanted).abs().max() / wanted.abs().max()).item<double>();
}

/// The statistics of rows, directly by definition, in float64.
inline at::Tensor covariance(const at::Tensor& rows) {
  return at::cov(rows.to(c10::kDouble).t());
}

}  // namespace lazymar::testing
