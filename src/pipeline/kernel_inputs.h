#pragma once
/// Random inputs for kernel_cases.h: the same in every run, made on the CPU.

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "diffusion/head.h"
#include "mar/device_noise.h"
#include "pipeline/kernel_cases.h"
#include "pipeline/kernel_twins.h"

namespace lazymar {

using Tensors = std::vector<at::Tensor>;

/// "2x320x1280 float".
std::string shape_text(const at::Tensor& t);

class KernelInputs {
 public:
  explicit KernelInputs(c10::Device device);

  /// Standard normal values of `type` on the device.
  at::Tensor normal(at::IntArrayRef sizes, c10::ScalarType type);
  /// A permutation of 0 .. length - 1 in each row, [images, length] int64 there.
  at::Tensor permutations(int64_t images, int64_t length);
  c10::Device device() const { return device_; }

 private:
  c10::Device device_;
  at::Generator generator_;
};

/// Some diffusion steps of a few rows, with a head's first and last layers.
HeadWindow window_of(const DiffusionHead& head, const KernelShapes& shapes, KernelInputs& in);

/// The noise of a few tokens, by the device and by the CPU.
class NoiseComparison {
 public:
  NoiseComparison(KernelInputs& in, int64_t images, int64_t channels);

  std::string shape() const;
  at::Tensor own() const { return draw_normals(draw_); }
  /// On the CPU.
  at::Tensor twin() const;

 private:
  static constexpr uint64_t kSeed = (uint64_t{5} << 40) + 77;  // both halves of the key
  static constexpr int64_t kSteps = 10, kTokens = 5, kDecodingStep = 7;

  NormalDraw draw_;
  std::vector<int64_t> ids_;
  at::Tensor positions_;  ///< on the CPU
};

}  // namespace lazymar
