#pragma once
/// On-disk cache of extracted features, keyed by the SHA-256 of each image file.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weights/weight_file.h"

namespace lazymar {

/// The network that features come from; features of other networks are not comparable.
struct ExtractorId {
  std::string name;            ///< "inception", "demo"
  std::string weights_sha256;  ///< see weights/weight_hash.h

  bool operator==(const ExtractorId&) const = default;
};

/// Facts about an image that are stored with its features.
struct ImageFacts {
  std::string name;
  std::string file_sha256;   ///< of the file, or of an .npz image's pixels
  std::string pixel_sha256;  ///< of "<width>x<height>:" and the pixels
  bool constant = false;     ///< all pixels of one colour
};

/// Facts of images and their features, row by row.
struct FeatureRows {
  std::vector<ImageFacts> images;
  at::Tensor pool;    ///< [n, D] fp32
  at::Tensor logits;  ///< [n, K] fp32
};

/// Safetensors: pool and logits [n, D] and [n, K] F32, file_sha256 and pixel_sha256 [n, 32] U8,
/// constant [n] I32; in the metadata `names` (a list in JSON), `extractor`, `weights_sha256` and
/// `content_sha256`, the hash of all tensors' bytes in the order of their names. Written
/// atomically. Throws Error (output).
void write_drift_file(const std::filesystem::path& path, const FeatureRows& rows,
                      const ExtractorId& extractor);

/// A feature file, mapped.
struct FeatureFile {
  ExtractorId extractor;
  FeatureRows rows;  ///< pool and logits point into the file
  std::shared_ptr<const WeightFile> mapping;
};

/// Throws Error (usage) for anything but a complete feature file.
FeatureFile read_feature_file(const std::filesystem::path& path);

/// Features of one image in a store.
struct KnownFeatures {
  const ImageFacts* facts;
  const float* pool;    ///< D values
  const float* logits;  ///< K values
};

/// All saved features of an extractor, by the hash of the image's file.
class FeatureStore {
 public:
  /// `feature_dim`, `class_count`: the extractor's D and K.
  FeatureStore(ExtractorId extractor, int64_t feature_dim, int64_t class_count)
      : extractor_(std::move(extractor)), feature_dim_(feature_dim), class_count_(class_count) {}

  /// Adds a file if it belongs to the extractor and is undamaged; else logs why not.
  void add(const std::filesystem::path& path);
  /// Every *.safetensors of a folder, which may be missing.
  void add_folder(const std::filesystem::path& folder);

  std::optional<KnownFeatures> find(const std::string& file_sha256) const;
  const ExtractorId& extractor() const { return extractor_; }

 private:
  ExtractorId extractor_;
  int64_t feature_dim_, class_count_;
  std::vector<std::unique_ptr<const FeatureFile>> files_;
  std::map<std::string, std::pair<const FeatureFile*, size_t>> rows_;
};

/// Path of a run's features: info/features/<extractor>.safetensors, and until the run is scored
/// <extractor>.block-7.safetensors in the same folder.
std::filesystem::path run_feature_file(const std::filesystem::path& run,
                                       const std::string& extractor);
std::filesystem::path shard_feature_file(const std::filesystem::path& run,
                                         const std::string& extractor, int64_t shard);

}  // namespace lazymar
