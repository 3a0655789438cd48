#pragma once
/// Features of every image of a set, and problems found.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metrics/extractor.h"
#include "score/feature_file.h"
#include "score/image_source.h"

namespace lazymar {

/// Problems and other facts about a set of images, reported before any score.
struct Health {
  int64_t planned = 0;
  int64_t images = 0;                                        ///< that are scored
  std::vector<int64_t> missing;                              ///< ids of a run
  std::vector<std::pair<std::string, std::string>> corrupt;  ///< name and reason; left out
  /// Images of whose files something is not read: name, and what. Not known of saved features.
  std::vector<std::pair<std::string, std::string>> partly_read;
  std::vector<std::string> changed;   ///< images that differ from the run's journal
  std::vector<std::string> constant;  ///< of one colour
  /// Images with the same pixels as an earlier one: name, and the earlier name.
  std::vector<std::pair<std::string, std::string>> duplicates;
  std::map<int64_t, int64_t> classes;  ///< images by class; empty if not every image has one

  /// No missing, damaged, changed, blank or duplicate images.
  bool good() const {
    return missing.empty() && corrupt.empty() && changed.empty() && constant.empty() &&
           duplicates.empty() && images == planned;
  }
};

/// A set for its metrics: usable images in the order of their names.
struct FeatureTable {
  FeatureRows rows;
  std::vector<size_t> places;   ///< among the source's images, by row
  std::vector<int64_t> labels;  ///< empty if not every image has its class
  int64_t reused = 0;           ///< images whose features were known
  double seconds = 0;           ///< in total
  Health health;
};

/// Hooks that are called while features are computed.
struct ExtractionHooks {
  /// After each batch, with the number of images done; may throw.
  std::function<void(int64_t)> progress = [](int64_t) {};
  /// New rows, a few thousand at a time, so that they can be saved.
  std::function<void(const FeatureRows&)> keep = [](const FeatureRows&) {};
};

/// Loads on `threads` threads while the extractor computes. Images in `known` are not computed.
/// Throws Error (usage) if fewer than two images can be used.
FeatureTable extract_features(const ImageSource& source, const FeatureExtractor& extractor,
                              const FeatureStore& known, int64_t threads,
                              const ExtractionHooks& hooks = {});

}  // namespace lazymar
