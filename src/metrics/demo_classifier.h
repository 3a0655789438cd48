#pragma once
/// The demo checkpoint's classifier as a small feature extractor: four strided convolutions, a mean
/// over the image, a linear layer (demo/demo_training/classifier.py).

#include <cstdint>
#include <filesystem>
#include <memory>

#include "metrics/extractor.h"

namespace lazymar {

/// The default path of the weights.
inline constexpr const char* kDemoClassifier = "pretrained_models/demo_classifier.safetensors";

/// Of the classifier that ships with the demo checkpoint.
inline constexpr int64_t kDemoFeatures = 96;

/// Features 96 and the scores of 10 classes, bias included, of 64x64 images; on the CPU, in fp32.
/// Widths, image size and number of classes come from the file's metadata. Throws Error (usage) if
/// the file is missing or does not fit.
std::unique_ptr<FeatureExtractor> load_demo_classifier(const std::filesystem::path& weights);

}  // namespace lazymar
