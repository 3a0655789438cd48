#include "score/image_npz.h"

#include <vector>

#include "core/error.h"
#include "files/atomic_file.h"
#include "formats/npz.h"
#include "metrics/numpy_random.h"
#include "score/image_loader.h"

namespace lazymar {
namespace {

constexpr uint32_t kSeed = 2020;
constexpr size_t kAhead = 64;

}  // namespace

void write_image_npz(const std::filesystem::path& path, const ImageSource& source,
                     const FeatureTable& table, int64_t threads) {
  const auto count = static_cast<int64_t>(table.places.size());
  std::vector<size_t> order;
  for (const int64_t row : NumpyRandom(kSeed).permutation(count)) {
    order.push_back(table.places[static_cast<size_t>(row)]);
  }
  ImageLoader loader(source, nullptr, threads, kAhead, order);
  const auto next = [&] {
    std::optional<LoadedImage> image = loader.next();
    if (image && !image->problem.empty()) {
      throw usage_error(source.path().string(), ": ", image->facts.name, ": ", image->problem);
    }
    return image;
  };
  const auto produce = [&](const ByteSink& sink) {
    std::optional<LoadedImage> image = next();
    const int64_t width = image->image.width;
    const int64_t height = image->image.height;
    NpzWriter npz(sink);
    npz.begin("arr_0", ElementType::kU8, {count, height, width, 3});
    for (; image; image = next()) {
      if (image->image.width != width || image->image.height != height) {
        throw usage_error(source.path().string(), ": ", image->facts.name, " is ",
                          image->image.width, "x", image->image.height, ", others are ", width, "x",
                          height, "; all images in one array must have the same size");
      }
      npz.write(std::as_bytes(std::span(image->image.pixels)));
    }
    npz.finish();
  };
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  write_file_atomically(path, produce, folder);
}

}  // namespace lazymar
