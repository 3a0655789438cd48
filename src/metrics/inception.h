#pragma once
/// The Inception network that FID and the Inception Score are defined by: the TensorFlow graph of
/// 2015-12-05 ("FID Inception"), as torch-fidelity 0.4.0 restates it
/// (torch_fidelity/feature_extractor_inceptionv3.py).

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <memory>

#include "metrics/extractor.h"
#include "weights/weights.h"

namespace lazymar {

/// The default path of the weights, and their source.
inline constexpr const char* kInceptionWeights =
    "pretrained_models/inception/weights-inception-2015-12-05-6726825d.pth";
inline constexpr const char* kInceptionUrl =
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth";

inline constexpr int64_t kInceptionFeatures = 2048;

/// Pool 2048 and the 1008 logits without bias (`logits_unbiased`) of images of any size, in fp32.
/// `weights`: torch-fidelity's .pth, or safetensors with the same names. Throws Error (usage) if
/// the file is missing (saying where to get it and where to put it) or does not fit the network.
std::unique_ptr<FeatureExtractor> load_inception(const std::filesystem::path& weights,
                                                 c10::Device device);

/// The same from any source of weights, on its placement's device. `plain`: by plain ATen, the twin
/// of the oneDNN version for CPUs.
std::unique_ptr<FeatureExtractor> make_inception(WeightSource& weights, bool plain = false);

/// TensorFlow 1's bilinear resize (align_corners = False, no half-pixel centres, no anti-aliasing),
/// then (x - 128) / 128: pixels [B, H, W, 3] uint8 on any device -> [B, 3, side, side] fp32 in
/// channels-last memory, with torch-fidelity's bits
/// (torch_fidelity/interpolate_compat_tensorflow.py, method "slow").
at::Tensor inception_input(const at::Tensor& pixels, int64_t side = 299);

}  // namespace lazymar
