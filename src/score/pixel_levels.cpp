#include "score/pixel_levels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "files/byte_reader.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr double kMostLevel = 255;

/// How far values may leave a range of width 1 and still mean it: rounding, filters, samplers.
constexpr double kOvershoot = 0.05;

/// Smallest and largest value, and whether all are whole numbers.
struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  bool whole = true;
  bool finite = true;

  bool within(double low, double high) const { return least >= low && most <= high; }
  /// Within, but for a small overshoot.
  bool about(double low, double high) const {
    const double more = kOvershoot * (high - low);
    return within(low - more, high + more);
  }
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

/// Expressions of NumPy whose results are levels as 'uint8'.
const NumpyLine kZeroToOne{"(x * 255).round().astype('uint8')", "0 to 1"};
const NumpyLine kClippedToOne{"(x.clip(0, 1) * 255).round().astype('uint8')", "0 to 1"};
const NumpyLine kMinusOneToOne{"((x + 1) * 127.5).round().astype('uint8')", "-1 to 1"};
const NumpyLine kClippedToBoth{"((x.clip(-1, 1) + 1) * 127.5).round().astype('uint8')", "-1 to 1"};
const NumpyLine kHalves{"((x + 0.5) * 255).round().astype('uint8')", "-0.5 to 0.5"};
const NumpyLine kBits{"x.astype('uint8') * 255", "0 to 1"};

/// Floats that lie in 0..1 or -1..1. They mean that if they come near both of its ends; else they
/// could mean another range.
Levels unit_levels(const Range& range, const fs::path& path, const std::string& name) {
  constexpr double kNear = 0.1;
  const bool high = range.most > 1 - kNear;
  if (high && range.least >= 0 && range.least < kNear) {
    return {0, kMostLevel};
  }
  if (high && range.least < kNear - 1) {
    return {1, kMostLevel / 2};
  }
  std::vector<NumpyLine> lines;
  if (range.least >= -kOvershoot) {
    lines.push_back(range.least < 0 ? kClippedToOne : kZeroToOne);
  }
  lines.push_back(kMinusOneToOne);
  if (range.least < 0 && range.within(-0.5, 0.5)) {
    lines.push_back(kHalves);
  }
  std::string what = concat("holds floats from ", range.least, " to ", range.most, ": ");
  for (const NumpyLine& line : lines) {
    what += concat(&line == lines.data() ? "" : ", or ", line.meaning);
  }
  throw refused_array(path, name, what + "?", lines);
}

/// The refusal of whole numbers of -1 to 1.
Error only_bits(const Range& range, bool floats, const fs::path& path, const std::string& name) {
  if (range.least < 0) {
    return refused_array(path, name, "holds only -1, 0 and 1", {kMinusOneToOne});
  }
  const std::string what = range.least == range.most ? concat("holds only ", range.least)
                                                     : std::string("holds only 0 and 1");
  return refused_array(path, name, what,
                       floats ? std::vector{kBits, kMinusOneToOne} : std::vector{kBits});
}

/// Of integers of more than 8 bits: cameras and scanners have 10, 12, 14 or 16.
std::vector<NumpyLine> lines_for_bits(double most, bool u16) {
  constexpr double kTenBits = 1023, kHalfOfTen = 511, kTwelve = 4095, kFourteen = 16383;
  const NumpyLine sixteen{"(x // 257).astype('uint8')", "16 bits"};
  if (most > kFourteen) {
    return {{sixteen.arguments}};
  }
  std::vector<NumpyLine> lines;
  if (most > kHalfOfTen) {
    const int bits = most <= kTenBits ? 10 : most <= kTwelve ? 12 : 14;
    lines.push_back(
        {concat("(x // ", 1 << (bits - 8), ").astype('uint8')"), concat(bits, " bits")});
  }
  if (u16 || !lines.empty()) {
    lines.push_back(sixteen);
  }
  return lines;
}

/// ImageNet's mean and standard deviation, which torchvision's models take images with: black is
/// -2.118 in red, white 2.64 in blue.
bool is_normalised(const Range& range) {
  return range.within(-2.13, 2.65) && range.least < -1.8 && range.most > 2.2;
}

std::vector<NumpyLine> lines_for(const Range& range, ElementType type, bool channels_last) {
  constexpr double kMostOf16Bits = 65535, kMostDeviations = 20;
  if (range.whole && range.within(0, kMostOf16Bits) && !range.about(0, kMostLevel)) {
    return lines_for_bits(range.most, type == ElementType::kU16);
  }
  if (range.about(0, 1)) {
    return {{kClippedToOne.arguments}};
  }
  if (range.about(-1, 1)) {
    return {{kClippedToBoth.arguments}};
  }
  if (range.about(0, kMostLevel) && range.most > kMostLevel / 2) {
    return {{"x.clip(0, 255).round().astype('uint8')"}};
  }
  if (range.whole && range.within(-128, 127)) {
    return {{"(x.astype('int16') + 128).astype('uint8')"}};
  }
  if (is_normalised(range)) {
    const char* const shape = channels_last ? "" : ".reshape(3, 1, 1)";
    return {{concat("((x * np.array([0.229, 0.224, 0.225])", shape,
                    " + np.array([0.485, 0.456, 0.406])", shape,
                    ") * 255).clip(0, 255).round().astype('uint8')")}};
  }
  if (range.least < 0 && range.within(-kMostDeviations, kMostDeviations)) {
    return {{"((x * std + mean) * 255).round().astype('uint8')"}};
  }
  return {};
}

/// The refusal of numbers in no range that is read.
Error unclear(const Range& range, ElementType type, bool channels_last, const fs::path& path,
              const std::string& name) {
  std::string what = concat("is ", to_string(type), " from ", range.least, " to ", range.most,
                            ": neither 0 to 1, nor -1 to 1, nor whole numbers of 0 to 255");
  const std::vector<NumpyLine> lines = lines_for(range, type, channels_last);
  if (lines.empty()) {
    return usage_error(path.string(), ": ", in_quotes(name), " ", what,
                       "; what do they mean? Scale them to 0 to 255 and save them as uint8");
  }
  if (lines[0].arguments.find(" std ") != std::string::npos) {
    what += "; if a mean and a standard deviation were taken off, put in what they were";
  } else if (is_normalised(range)) {
    what += ", but as ImageNet's mean and standard deviation make it";
  }
  return refused_array(path, name, what, lines);
}

}  // namespace

Error refused_array(const fs::path& path, const std::string& name, const std::string& what,
                    const std::vector<NumpyLine>& lines) {
  const bool bare = path.extension() == ".npy";
  std::string text = concat("; with NumPy: x = np.load('", path.filename().string(), "')",
                            bare ? "" : concat("['", name, "']"));
  for (const NumpyLine& line : lines) {
    text += concat(&line == lines.data() ? "; " : ", or ", "np.savez('images.npz', ",
                   line.arguments, ")", line.meaning.empty() ? "" : concat(" for ", line.meaning));
  }
  return usage_error(path.string(), ": ", in_quotes(name), " ", what, text);
}

Levels find_levels(const NpyArray& array, bool channels_last, const fs::path& path,
                   const std::string& name) {
  const ElementReader value = element_reader(array);
  if (value == nullptr) {
    throw refused_array(path, name, concat("is ", to_string(array.type), ", not numbers"),
                        {{kBits.arguments}});
  }
  if (array.type == ElementType::kU8 &&  // of usual images, the first pixels settle it
      std::any_of(array.bytes.begin(), array.bytes.end(),
                  [](std::byte level) { return level > std::byte{1}; })) {
    return {};
  }
  const bool floats = array.type == ElementType::kF16 || array.type == ElementType::kF32 ||
                      array.type == ElementType::kF64;
  const Range range = range_of(array, value);
  if (!range.finite) {
    throw refused_array(path, name, "contains NaN or infinite values",
                        {{"x[np.isfinite(x).all(axis=(1, 2, 3))]"}});
  }
  const bool black = !floats && range.within(0, 0);
  if (range.whole && range.within(-1, 1) && !black) {
    throw only_bits(range, floats, path, name);
  }
  if (floats && range.within(-1, 1)) {
    return unit_levels(range, path, name);
  }
  if (range.whole && range.within(0, kMostLevel)) {
    return {};
  }
  throw unclear(range, array.type, channels_last, path, name);
}

}  // namespace lazymar
