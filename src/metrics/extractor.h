#pragma once
/// Features of images, from which metrics are computed, and their networks.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>

#include "weights/weight_hash.h"

namespace lazymar {

/// A network's outputs for B images, on the CPU.
struct Features {
  at::Tensor pool;    ///< [B, D] fp32: for FID, KID, precision and recall
  at::Tensor logits;  ///< [B, K] fp32, before the softmax: for the Inception Score
};

/// Properties of an extractor.
struct ExtractorInfo {
  std::string name;    ///< "inception" or "demo"; features of different names are not comparable
  std::string source;  ///< the weights' file
  int64_t feature_dim = 0;  ///< D
  int64_t class_count = 0;  ///< K
  int64_t image_side = 0;   ///< required image size; 0: any, images are resized
  int64_t batch_size = 1;   ///< batch size that keeps the device busy
  WeightsInUse weights;     ///< for WeightHash, which makes the SHA-256 in the background
};

/// A network that extracts features. Const, but not thread-safe.
class FeatureExtractor {
 public:
  explicit FeatureExtractor(ExtractorInfo info) : info_(std::move(info)) {}
  virtual ~FeatureExtractor() = default;

  /// pixels [B, H, W, 3] uint8 on the CPU, B >= 1, all of one size. Throws Error (usage) if the
  /// network does not take that size. An image's features depend on the other images and on B only
  /// in the last bits.
  virtual Features operator()(const at::Tensor& pixels) const = 0;

  const ExtractorInfo& info() const { return info_; }

 private:
  ExtractorInfo info_;
};

}  // namespace lazymar
