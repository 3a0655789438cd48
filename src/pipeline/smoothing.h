#pragma once
/// Smoothing (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438, equation 4): divides channels of
/// activations by factors that their weights are multiplied by. The network computes the same, but
/// its activations lose their largest channels, which rows in 8 bits would be scaled to.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "weights/weight_file.h"

namespace lazymar {

class Smoothing {
 public:
  /// None.
  Smoothing() = default;

  /// For the layers of a MAR's blocks whose input is a norm's output, qkv and fc1: their factors
  /// are sqrt(max |x| / max |w|) by channel (a strength of 0.5), of the activations in fp32 while
  /// the network draws the first `images` images of seed 1 in 16 decoding steps, on the CPU.
  /// Throws Error (usage) for a file that holds no usable MAR.
  static Smoothing calibrated(const WeightFile& file, int64_t images);

  bool changes(const std::string& name) const { return factors_.contains(name); }
  /// The tensor of that name in the smoothed network; other tensors as they are.
  at::Tensor operator()(const std::string& name, const at::Tensor& tensor) const;

 private:
  std::map<std::string, at::Tensor> factors_;  ///< by name: what the tensor is multiplied by
};

}  // namespace lazymar
