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

/// How tensors are held, and where.
struct Placement {
  Precision precision = parse_precision("fp32");  ///< not auto
  c10::Device device = c10::kCPU;

  /// The type of activations, and of all weights that have no format of their own.
  c10::ScalarType dtype() const { return scalar_type(precision->activations); }
};

/// The one gate through which a network gets its weights. A network asks for every tensor by name
/// and shape; what is wrong is remembered, and finish() reports all of it at once.
class WeightSource {
 public:
  explicit WeightSource(Placement placement) : placement_(placement) {}
  virtual ~WeightSource() = default;

  /// The tensor, of the placement's dtype() and device; undefined if it cannot be had.
  virtual at::Tensor get(const std::string& name, const std::vector<int64_t>& shape) = 0;

  /// Throws Error (usage) that lists every missing and mis-shaped tensor by name, tensors of its
  /// layers that it does not have, and tensors with NaN or infinite values. Other tensors that the
  /// network does not have are named in a warning, once. `skipped`: prefixes of names that are
  /// known and not needed.
  virtual void finish(const std::vector<std::string>& skipped) = 0;

  const Placement& placement() const { return placement_; }

 private:
  Placement placement_;
};

/// Weights out of a file. Tensors that need no conversion point into the mapping.
class FileWeights final : public WeightSource {
 public:
  FileWeights(std::shared_ptr<const WeightFile> file, Placement placement);

  at::Tensor get(const std::string& name, const std::vector<int64_t>& shape) override;
  void finish(const std::vector<std::string>& skipped) override;

  const WeightFile& file() const { return *file_; }
  /// What get() has handed out so far, as the file has it.
  WeightsInUse in_use() const;

 private:
  std::shared_ptr<const WeightFile> file_;
  std::map<std::string, bool> used_;
  std::vector<std::string> missing_;
  std::vector<std::string> misshaped_;
  std::vector<std::string> bad_values_;
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

/// A tensor that shares the view's memory and keeps the file mapped, or a copy where the bytes are
/// not aligned for their type or not in row-major order. Throws Error (usage) for an element type
/// that no network uses.
at::Tensor tensor_from_view(const TensorView& view, const WeightFile& file, std::string_view name);

/// The same for a file's type; throws Error (internal) for one that no network uses.
c10::ScalarType scalar_type(ElementType type);

/// A view of a contiguous CPU tensor, for write_safetensors; valid while the tensor lives.
TensorView view_of_tensor(const at::Tensor& tensor);

}  // namespace lazymar
