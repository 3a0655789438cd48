#pragma once
/// Inception's weights by the formula of scripts/lab/fidelity_support.py.

#include <ATen/ATen.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/hash.h"
#include "weights/weights.h"

namespace lazymar::testing {

class FormulaWeights final : public WeightSource {
 public:
  FormulaWeights() : WeightSource({}) {}

  at::Tensor get(const std::string& name, const std::vector<int64_t>& shape) override {
    at::Tensor tensor = at::empty(shape, c10::kFloat);
    double fan_in = 1;
    for (size_t i = 1; i < shape.size(); ++i) {
      fan_in *= static_cast<double>(shape[i]);
    }
    const double bound = std::sqrt(6 / fan_in);
    const auto seed = static_cast<uint32_t>(fnv1a(name));
    auto* const values = tensor.mutable_data_ptr<float>();
    for (int64_t i = 0; i < tensor.numel(); ++i) {
      const double u = uniform(seed, static_cast<uint32_t>(i));
      double value = 2 * u - 1;
      if (name.ends_with("bn.weight")) {
        value = 0.75 + 0.5 * u;
      } else if (name.ends_with("bn.bias")) {
        value = 0.4 * u - 0.2;
      } else if (name.ends_with("running_mean")) {
        value = 0.2 * u - 0.1;
      } else if (name.ends_with("running_var")) {
        value = 0.5 + u;
      } else if (shape.size() > 1) {
        value *= bound;
      }
      values[i] = static_cast<float>(value);
    }
    given_[name] = tensor;
    return tensor;
  }

  void finish(const std::vector<std::string>&) override {}

  /// The requested tensors.
  const std::map<std::string, at::Tensor>& given() const { return given_; }

 private:
  static double uniform(uint32_t seed, uint32_t place) {
    uint32_t h = place * 2654435761U ^ seed;
    h = (h ^ h >> 16) * 0x85ebca6bU;
    h = (h ^ h >> 13) * 0xc2b2ae35U;
    h ^= h >> 16;
    return static_cast<double>(h >> 8) / (1 << 24);
  }

  std::map<std::string, at::Tensor> given_;
};

}  // namespace lazymar::testing
