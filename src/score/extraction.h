#pragma once
/// Features of every image of a set, and what was noticed on the way.

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

/// What is wrong, or worth knowing, with a set of images: said before any number.
struct Health {
  int64_t planned = 0;
  int64_t images = 0;                                        ///< that are scored
  std::vector<int64_t> missing;                              ///< ids of a run
  std::vector<std::pair<std::string, std::string>> corrupt;  ///< name and reason; left out
  std::vector<std::string> changed;   ///< not what the run's journal recorded, but an image
  std::vector<std::string> constant;  ///< of one colour
  /// Images with the pixels of an earlier one: name, and that one's.
  std::vector<std::pair<std::string, std::string>> duplicates;
  std::map<int64_t, int64_t> classes;  ///< images by class; empty where not every image names one

  /// Nothing missing, corrupt, changed, constant or twice.
  bool good() const {
    return missing.empty() && corrupt.empty() && changed.empty() && constant.empty() &&
           duplicates.empty() && images == planned;
  }
};

/// A set as its metrics need it: usable images in the order of their names.
struct FeatureTable {
  FeatureRows rows;
  std::vector<size_t> places;   ///< among the source's images, by row
  std::vector<int64_t> labels;  ///< empty where not every image names its class
  int64_t reused = 0;           ///< images whose features were known
  double seconds = 0;           ///< that it all took
  Health health;
};

/// Who looks on while features are computed.
struct ExtractionHooks {
  /// After each batch, with the number of images done; may throw.
  std::function<void(int64_t)> progress = [](int64_t) {};
  /// New rows, some thousand at a time, so that they can be kept.
  std::function<void(const FeatureRows&)> keep = [](const FeatureRows&) {};
};

/// Loads on `threads` threads while the extractor computes. Of images in `known` nothing is
/// computed. Throws Error (usage) where fewer than two images can be used.
FeatureTable extract_features(const ImageSource& source, const FeatureExtractor& extractor,
                              const FeatureStore& known, int64_t threads,
                              const ExtractionHooks& hooks = {});

}  // namespace lazymar
