#pragma once
/// What metrics are computed from: features of images, and the networks that make them.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>

#include "weights/weight_hash.h"

namespace lazymar {

/// What a network says of B images, on the CPU.
struct Features {
  at::Tensor pool;    ///< [B, D] fp32: for FID, KID, precision and recall
  at::Tensor logits;  ///< [B, K] fp32, before the softmax: for the Inception Score
};

/// What there is to know of an extractor before it is used.
struct ExtractorInfo {
  std::string name;         ///< "inception" or "demo"; features of different names do not compare
  std::string source;       ///< the weights' file
  int64_t feature_dim = 0;  ///< D
  int64_t class_count = 0;  ///< K
  int64_t image_side = 0;   ///< pictures must be of this size; 0: any, they are resized
  int64_t batch_size = 1;   ///< images at once that keep the device busy
  WeightsInUse weights;     ///< for WeightHash, which makes the SHA-256 in the background
};

/// A network that images are judged by. Const in use, but not for several threads at once.
class FeatureExtractor {
 public:
  explicit FeatureExtractor(ExtractorInfo info) : info_(std::move(info)) {}
  virtual ~FeatureExtractor() = default;

  /// pixels [B, H, W, 3] uint8 on the CPU, B >= 1, all of one size. Throws Error (usage) where
  /// that size is none that the network takes. An image's features depend on the other images and
  /// on B in the last bits at most.
  virtual Features operator()(const at::Tensor& pixels) const = 0;

  const ExtractorInfo& info() const { return info_; }

 private:
  ExtractorInfo info_;
};

}  // namespace lazymar
