#pragma once
/// Named tensors for a network, checked against what the network expects.

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/precision.h"
#include "weights/weight_file.h"
#include "weights/weight_hash.h"

namespace lazymar {

/// LibTorch's name of a type.
c10::ScalarType scalar_type(NumberType type);

/// The types of tensors, and their device.
struct Placement {
  Precision precision = parse_precision("fp32");  ///< not auto
  c10::Device device = c10::kCPU;

  /// The type of activations, and of all weights without a separate format.
  c10::ScalarType dtype() const { return scalar_type(precision->activations); }
};

/// The single source of a network's weights. A network requests every tensor by name and shape;
/// finish() reports all that is wrong with them at once.
class WeightSource {
 public:
  explicit WeightSource(Placement placement) : placement_(placement) {}
  virtual ~WeightSource() = default;

  /// The tensor, of the placement's dtype() and on its device; undefined if it is not available.
  virtual at::Tensor get(const std::string& name, const std::vector<int64_t>& shape) = 0;

  /// Throws Error (usage) that lists every missing and mis-shaped tensor by name, unexpected ones
  /// in the network's layers, and those with NaN or infinite values, or with values too large for
  /// the placement's type. Other tensors that the network does not have are named in a warning,
  /// once; their values are not looked at. `skipped`: prefixes of known names that are not needed.
  virtual void finish(const std::vector<std::string>& skipped) = 0;

  const Placement& placement() const { return placement_; }

 private:
  Placement placement_;
};

/// Weights from a file. Tensors that need no conversion point into the mapping. get() also counts
/// NaN and infinite values: the hash, made in the background, would find them only after the first
/// images. It goes over bytes that the network needs anyway, so the disk is read once.
class FileWeights final : public WeightSource {
 public:
  FileWeights(std::shared_ptr<const WeightFile> file, Placement placement);

  at::Tensor get(const std::string& name, const std::vector<int64_t>& shape) override;
  void finish(const std::vector<std::string>& skipped) override;

  const WeightFile& file() const { return *file_; }
  /// The tensors that get() has returned so far, as in the file.
  WeightsInUse in_use() const;

 private:
  /// A matrix in 8 bits, of its numbers and their scales: see int8_weight.h. Undefined if they do
  /// not fit.
  at::Tensor from_8_bits(const TensorView& view, const std::string& name);

  std::shared_ptr<const WeightFile> file_;
  std::map<std::string, bool> used_;
  std::vector<std::string> missing_;
  std::vector<std::string> misshaped_;
  std::vector<std::string> bad_values_;
  std::vector<std::string> too_large_;  ///< for the placement's type
};

/// Weights drawn from a seed, for latency runs: scaled by fan-in, so that activations stay finite.
class RandomWeights final : public WeightSource {
 public:
  RandomWeights(uint64_t seed, Placement placement) : WeightSource(placement), seed_(seed) {}

  at::Tensor get(const std::string& name, const std::vector<int64_t>& shape) override;
  void finish(const std::vector<std::string>& skipped) override;

 private:
  uint64_t seed_;
};

/// A tensor that shares the view's memory and keeps the file mapped, or a copy if the bytes are not
/// aligned for their type or not in row-major order. Throws Error (usage) for an element type that
/// no network uses.
at::Tensor tensor_from_view(const TensorView& view, const WeightFile& file, std::string_view name);

/// The same for a file's type; throws Error (internal) for one that no network uses.
c10::ScalarType scalar_type(ElementType type);

/// A view of a contiguous CPU tensor, for write_safetensors; valid while the tensor exists.
TensorView view_of_tensor(const at::Tensor& tensor);

}  // namespace lazymar
