#include "score/image_array.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "files/byte_reader.h"
#include "formats/npz.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kChannels = 3;
constexpr double kMostLevel = 255;

/// Where the dimensions of images are: [N, H, W, C] or [N, C, H, W].
struct Layout {
  size_t height = 1, width = 2, channels = 3;
};

/// Pixels are round((value + offset) * scale).
struct Levels {
  double offset = 0, scale = 1;
};

/// The refusal of an array, with the line of NumPy that makes it readable; x is the array.
Error refused(const fs::path& path, const std::string& name, const std::string& what,
              const std::string& line) {
  return usage_error(path.string(), ": ", in_quotes(name), " ", what, "; save it with NumPy as ",
                     "np.savez('images.npz', ", line, ")");
}

/// Channels by their number: three, then one or four; last before first.
Layout find_layout(const NpyArray& array, const fs::path& path, const std::string& name) {
  const std::vector<int64_t>& shape = array.shape;
  const std::string is = concat("is ", shape_string(shape));
  if (shape.size() == 2) {
    throw refused(path, name, is + ", not images: statistics of features are two arrays",
                  "mu=x.mean(0), sigma=np.cov(x, rowvar=False)");
  }
  if (shape.size() == 3) {
    const bool one = shape[0] == kChannels || shape[2] == kChannels;
    throw refused(path, name, is + (one ? ": one image, not a set" : ": images without channels"),
                  one ? "x[None]" : "x[..., None]");
  }
  if (shape.size() != 4 || *std::min_element(shape.begin(), shape.end()) < 1) {
    throw refused(path, name, is + ", not images [N, H, W, 3]", "x.reshape(n, height, width, 3)");
  }
  for (const std::vector<int64_t>& wanted : {std::vector<int64_t>{kChannels}, {1, 4}}) {
    for (const Layout& layout : {Layout{1, 2, 3}, Layout{2, 3, 1}}) {
      if (std::count(wanted.begin(), wanted.end(), shape[layout.channels]) > 0) {
        return layout;
      }
    }
  }
  throw refused(path, name, is + ": neither the last nor the second size is a number of channels",
                "x[..., :3]");
}

/// Smallest and largest value, and whether all are whole numbers.
struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  bool whole = true;
  bool finite = true;
};

Range range_of(const NpyArray& array, ElementReader value) {
  Range range;
  const auto size = static_cast<size_t>(element_size(array.type));
  for (size_t i = 0; i < array.bytes.size(); i += size) {
    const double x = value(array.bytes.data() + i);
    range.finite = range.finite && std::isfinite(x);
    range.whole = range.whole && x == std::nearbyint(x);
    range.least = std::min(range.least, x);
    range.most = std::max(range.most, x);
  }
  return range;
}

/// Floats that lie in 0..1 or -1..1. They mean that if they come near both of its ends; else they
/// could mean another range.
Levels unit_levels(const Range& range, const fs::path& path, const std::string& name) {
  constexpr double kNear = 0.1;
  const std::string found = concat("holds floats from ", range.least, " to ", range.most);
  if (range.whole) {
    throw refused(path, name, concat(found, ", all whole: 0 to 1, -1 to 1, or levels of 255?"),
                  "(x * 255).astype('uint8') for 0 to 1, ((x + 1) * 127.5).round().astype('uint8') "
                  "for -1 to 1, x.astype('uint8') for levels");
  }
  const bool high = range.most > 1 - kNear;
  if (high && range.least >= 0 && range.least < kNear) {
    return {0, kMostLevel};
  }
  if (high && range.least < kNear - 1) {
    return {1, kMostLevel / 2};
  }
  throw refused(path, name, concat(found, ": 0 to 1, or -1 to 1?"),
                concat(range.least < 0 ? "(x.clip(0, 1) * 255)" : "(x * 255)",
                       ".round().astype('uint8') for 0 to 1, ",
                       "((x + 1) * 127.5).round().astype('uint8') for -1 to 1"));
}

Levels find_levels(const NpyArray& array, const fs::path& path, const std::string& name) {
  const ElementReader value = element_reader(array);
  const std::string type = concat("is ", to_string(array.type));
  if (value == nullptr) {
    throw refused(path, name, type + ", not numbers", "x.astype('uint8') * 255");
  }
  if (array.type == ElementType::kU8) {
    return {};
  }
  const bool floats = array.type == ElementType::kF16 || array.type == ElementType::kF32 ||
                      array.type == ElementType::kF64;
  const Range range = range_of(array, value);
  if (!range.finite) {
    throw refused(path, name, "contains NaN or infinite values",
                  "x[np.isfinite(x).all(axis=(1, 2, 3))]");
  }
  if (floats && range.least >= -1 && range.most <= 1) {
    return unit_levels(range, path, name);
  }
  if (range.whole && range.least >= 0 && range.most <= kMostLevel) {
    return {};
  }
  const bool about_one = range.most < 2;
  throw refused(path, name,
                concat(type, " from ", range.least, " to ", range.most,
                       ": neither 0 to 1, nor -1 to 1, nor whole numbers of 0 to 255"),
                !about_one          ? "x.clip(0, 255).round().astype('uint8')"
                : range.least < -.5 ? "((x.clip(-1, 1) + 1) * 127.5).round().astype('uint8')"
                                    : "(x.clip(0, 1) * 255).round().astype('uint8')");
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

/// arr_0, else the only array with four dimensions.
std::string find_array(const NpzArchive& archive, const fs::path& path) {
  constexpr const char* kUsual = "arr_0";
  if (archive.has(kUsual)) {
    return kUsual;
  }
  std::vector<std::string> found;
  for (const std::string& name : archive.names()) {
    if (archive.array(name).shape.size() == 4) {
      found.push_back(name);
    }
  }
  if (found.size() > 1) {
    throw usage_error(path.string(), ": no array \"arr_0\", and ", found.size(),
                      " arrays could be images: ", in_quotes(found[0]), ", ", in_quotes(found[1]),
                      found.size() > 2 ? ", ..." : "", "; save one with NumPy as ",
                      "np.savez('images.npz', np.load(FILE)[", in_quotes(found[0]), "])");
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
  const Levels levels = find_levels(array, path, name);
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
