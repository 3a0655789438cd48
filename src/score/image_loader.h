#pragma once
/// Reads, hashes and decodes images ahead of their use, on threads.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "formats/image.h"
#include "score/feature_file.h"
#include "score/image_source.h"

namespace lazymar {

/// An image as it was loaded.
struct LoadedImage {
  size_t index = 0;
  ImageFacts facts;
  std::optional<int64_t> label;        ///< class, if the PNG contains it
  std::string problem;                 ///< why it cannot be used; empty if it can
  bool changed = false;                ///< it is not the file in the run's journal
  std::optional<KnownFeatures> known;  ///< then nothing is decoded
  DecodedImage image;
};

/// Facts of pixels [height, width, 3].
ImageFacts facts_of(const std::string& name, std::span<const uint8_t> pixels, int64_t width,
                    int64_t height);

/// One image, in the calling thread.
LoadedImage load_image(const ImageSource& source, size_t index, const FeatureStore* known);

/// Loads a source's images in a given order, or its own, on threads; at most `window` ahead.
class ImageLoader {
 public:
  /// `known`: saved features; may be null. Source and store must outlive the loader.
  ImageLoader(const ImageSource& source, const FeatureStore* known, int64_t threads, size_t window,
              std::vector<size_t> order = {});
  ~ImageLoader();
  ImageLoader(const ImageLoader&) = delete;
  ImageLoader& operator=(const ImageLoader&) = delete;

  /// The next image; empty after the last. Rethrows errors of loading. The `problem` of an unusable
  /// image gives the reason.
  std::optional<LoadedImage> next();

 private:
  void work();

  const ImageSource& source_;
  const FeatureStore* known_;
  std::vector<size_t> order_;
  size_t window_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<size_t, LoadedImage> ready_;  ///< by place in the order
  size_t begun_ = 0, taken_ = 0;
  bool ending_ = false;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace lazymar
