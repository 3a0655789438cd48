#include "score/image_array.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "files/byte_reader.h"
#include "formats/npz.h"
#include "metrics/statistics.h"
#include "score/pixel_levels.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kChannels = 3;

/// Where the dimensions of images are: [N, H, W, C] or [N, C, H, W].
struct Layout {
  size_t height = 1, width = 2, channels = 3;
};

/// Lines for [N, D] that may be features, or images flattened in either order.
std::vector<NumpyLine> lines_for_rows(int64_t values) {
  constexpr int64_t kSmallest = 16;
  std::vector<NumpyLine> lines{
      {"mu=x.mean(0), sigma=np.cov(x, rowvar=False)", "statistics of features"}};
  for (const int64_t channels : {int64_t{1}, kChannels}) {
    const auto side = static_cast<int64_t>(std::lround(std::sqrt(values / channels)));
    if (side < kSmallest || side * side * channels != values) {
      continue;
    }
    const std::string flat = concat("flattened images of ", side, "x", side);
    lines.push_back({concat("x.reshape(-1, ", side, ", ", side, ", ", channels, ")"),
                     concat(flat, channels == 1 ? ", grey" : ", channels last")});
    if (channels > 1) {
      lines.push_back({concat("x.reshape(-1, ", channels, ", ", side, ", ", side, ")"),
                       concat(flat, ", channels first")});
    }
  }
  return lines;
}

/// The refusal of a shape that images have not.
Error refused_shape(const std::vector<int64_t>& shape, const fs::path& path,
                    const std::string& name) {
  const std::string is = concat("is ", shape_string(shape));
  if (std::count(shape.begin(), shape.end(), 0) > 0) {
    return usage_error(path.string(), ": ", in_quotes(name), " ", is,
                       ": it holds no images; save the array again");
  }
  if (shape.size() == 2) {
    return refused_array(path, name, is + ", not images", lines_for_rows(shape[1]));
  }
  if (shape.size() == 3) {
    const bool one = shape[0] == kChannels || shape[2] == kChannels;
    return refused_array(path, name,
                         is + (one ? ": one image, not a set" : ": images without channels"),
                         {{one ? "x[None]" : "x[..., None]"}});
  }
  if (shape.size() != 4) {
    return usage_error(path.string(), ": ", in_quotes(name), " ", is, ", not images [N, H, W, 3]");
  }
  std::vector<NumpyLine> lines{{"x[..., :3]", "the first three of the last"}};
  if (shape[2] == kChannels) {
    lines = {{"x.transpose(3, 0, 1, 2)", "[H, W, 3, N]"},
             {"x.transpose(0, 1, 3, 2)", "[N, H, 3, W]"}};
  } else if (shape[0] == kChannels) {
    lines = {{"x.transpose(1, 2, 3, 0)", "[3, N, H, W]"},
             {"x.transpose(3, 1, 2, 0)", "[3, H, W, N]"}};
  }
  return refused_array(
      path, name, is + ": neither the last nor the second size is a number of channels", lines);
}

/// Channels by their number: three, then one or four; last before first.
Layout find_layout(const NpyArray& array, const fs::path& path, const std::string& name) {
  const std::vector<int64_t>& shape = array.shape;
  if (shape.size() == 4 && *std::min_element(shape.begin(), shape.end()) > 0) {
    for (const std::vector<int64_t>& wanted : {std::vector<int64_t>{kChannels}, {1, 4}}) {
      for (const Layout& layout : {Layout{1, 2, 3}, Layout{2, 3, 1}}) {
        if (std::count(wanted.begin(), wanted.end(), shape[layout.channels]) > 0) {
          return layout;
        }
      }
    }
  }
  throw refused_shape(shape, path, name);
}

class ArraySource final : public ImageSource {
 public:
  ArraySource(const fs::path& path, SourceContent content, std::shared_ptr<const NpzFile> file,
              NpyArray array, Layout layout, Levels levels)
      : ImageSource(path, std::move(content)),
        file_(std::move(file)),
        array_(std::move(array)),
        strides_(npy_strides(array_)),
        layout_(layout),
        levels_(levels),
        value_(element_reader(array_)) {}

  ImageBytes read(size_t index) const override {
    const int64_t height = array_.shape[layout_.height];
    const int64_t width = array_.shape[layout_.width];
    const std::pair size(width, height);
    const bool as_is = array_.type == ElementType::kU8 && !array_.column_major &&
                       layout_.channels == 3 && array_.shape[3] == kChannels;
    if (as_is) {
      const auto bytes = static_cast<size_t>(height * width * kChannels);
      return {array_.bytes.subspan(index * bytes, bytes), size, file_};
    }
    auto pixels = std::make_shared<std::vector<std::byte>>();
    pixels->reserve(static_cast<size_t>(height * width * kChannels));
    const bool grey = array_.shape[layout_.channels] < kChannels;
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        for (int64_t c = 0; c < kChannels; ++c) {
          pixels->push_back(level(static_cast<int64_t>(index), y, x, grey ? 0 : c));
        }
      }
    }
    return {*pixels, size, pixels};
  }

 private:
  std::byte level(int64_t image, int64_t y, int64_t x, int64_t channel) const {
    const int64_t place = image * strides_[0] + y * strides_[layout_.height] +
                          x * strides_[layout_.width] + channel * strides_[layout_.channels];
    const double value = value_(array_.bytes.data() + place * element_size(array_.type));
    const double level = std::nearbyint((value + levels_.offset) * levels_.scale);
    return static_cast<std::byte>(static_cast<uint8_t>(level));
  }

  std::shared_ptr<const NpzFile> file_;
  NpyArray array_;
  std::vector<int64_t> strides_;
  Layout layout_;
  Levels levels_;
  ElementReader value_;
};

/// arr_0, unless only others have four dimensions: labels may be arr_0, too.
std::string find_array(const NpzArchive& archive, const fs::path& path) {
  constexpr const char* kUsual = "arr_0";
  if (archive.has(kUsual) && archive.array(kUsual).shape.size() == 4) {
    return kUsual;
  }
  std::vector<std::string> found;
  for (const std::string& name : archive.names()) {
    if (archive.array(name).shape.size() == 4) {
      found.push_back(name);
    }
  }
  if (found.size() > 1) {
    throw usage_error(path.string(), ": ", found.size(), " arrays could be images, and none is ",
                      "\"arr_0\": ", in_quotes(found[0]), ", ", in_quotes(found[1]),
                      found.size() > 2 ? ", ..." : "", "; save one with NumPy as ",
                      "np.savez('images.npz', np.load(FILE)[", in_quotes(found[0]), "])");
  }
  if (found.empty() && has_statistics(path)) {
    throw usage_error(path.string(), ": statistics, not images; a reference is given to --fid");
  }
  return found.empty() ? kUsual : found.front();
}

/// Says once what of the file is not read.
void warn_of_rest(const NpzArchive& archive, const std::string& name, bool alpha,
                  const fs::path& path) {
  const std::string_view used[] = {name};
  if (const std::string others = archive.other_names(used); !others.empty()) {
    log_warning_once(
        concat(path.string(), ": the images are ", in_quotes(name), "; not used: ", others));
  }
  if (alpha) {
    log_warning_once(
        concat(path.string(), ": the fourth channel of ", in_quotes(name), ", alpha, is not used"));
  }
}

}  // namespace

std::unique_ptr<ImageSource> open_image_array(const fs::path& path) {
  const auto file = std::make_shared<const NpzFile>(path);
  const std::string name = find_array(file->arrays(), path);
  NpyArray array = file->arrays().array(name);
  const Layout layout = find_layout(array, path, name);
  const Levels levels = find_levels(array, layout.channels == 3, path, name);
  warn_of_rest(file->arrays(), name, array.shape[layout.channels] > kChannels, path);
  SourceContent content;
  content.planned = array.shape[0];
  for (int64_t i = 0; i < array.shape[0]; ++i) {
    content.images.push_back({concat(name, "[", i, "]"), i, ""});
  }
  return std::make_unique<ArraySource>(path, std::move(content), file, std::move(array), layout,
                                       levels);
}

}  // namespace lazymar
