#pragma once
/// Sets of images: a run folder, any folder, tars, an .npz.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lazymar {

/// One image of a set.
struct SourceImage {
  std::string name;  ///< "00042.png", "n01440764/x.JPEG", "arr_0[7]"
  std::optional<int64_t> id;
  std::string recorded_sha256;  ///< of the file, from the run's journal; empty if it has none
  std::string problem = {};     ///< why it is not read; empty: it is
};

/// An image's bytes, valid while `keeps` exists.
struct ImageBytes {
  std::span<const std::byte> bytes;  ///< the file; or with `size` the pixels [height, width, 3]
  std::optional<std::pair<int64_t, int64_t>> size;  ///< width, height
  std::shared_ptr<const void> keeps;
};

/// What a set should contain and what it contains.
struct SourceContent {
  std::vector<SourceImage> images;  ///< sorted by name, bytewise
  int64_t planned = 0;              ///< how many there should be
  std::vector<int64_t> missing;     ///< missing ids of a run
};

class ImageSource {
 public:
  ImageSource(std::filesystem::path path, SourceContent content)
      : path_(std::move(path)), content_(std::move(content)) {}
  virtual ~ImageSource() = default;

  /// Image `index` of content().images. Thread-safe. Throws Error (usage) if it cannot be read.
  virtual ImageBytes read(size_t index) const = 0;

  const std::filesystem::path& path() const { return path_; }
  const SourceContent& content() const { return content_; }
  /// True for a run folder.
  virtual bool is_run() const { return false; }

 private:
  std::filesystem::path path_;
  SourceContent content_;
};

/// What becomes of a folder or a tar that holds several runs.
enum class RunsBelow {
  kRefused,
  kOfferMerge,  ///< refused, and --merge is named
  kMerged       ///< one set
};

/// A run folder (recognised by its manifest), a folder of pictures, subfolders included, or of tars
/// of them; a tar; an .npz or .npy of images (see score/image_array.h). Files that look like
/// pictures, by name or by their first bytes, belong to the set even if they are not read. Throws
/// Error (usage) if the path is none of these, contains no image, or holds runs that are not to be
/// merged.
std::unique_ptr<ImageSource> open_image_source(const std::filesystem::path& path,
                                               RunsBelow below = RunsBelow::kRefused);

/// True for an .npz that has this array, and for an .npy as `arr_0`.
bool npz_has(const std::filesystem::path& path, const std::string& array);

}  // namespace lazymar
