#include "score/image_loader.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "files/sha256.h"
#include "formats/png.h"

namespace lazymar {
namespace {

bool is_constant(std::span<const uint8_t> pixels) {
  constexpr size_t kChannels = 3;
  for (size_t i = kChannels; i < pixels.size(); ++i) {
    if (pixels[i] != pixels[i - kChannels]) {
      return false;
    }
  }
  return true;
}

/// The class in the metadata of a PNG by lazymar_eval.
std::optional<int64_t> label_in(std::span<const std::byte> file) {
  for (const auto& [keyword, text] : read_png_text(file)) {
    int64_t label = 0;
    if (keyword == "class" &&
        std::from_chars(text.data(), text.data() + text.size(), label).ec == std::errc()) {
      return label;
    }
  }
  return std::nullopt;
}

std::optional<DecodedImage> pixels_of(const ImageBytes& read) {
  if (!read.size) {
    return decode_image(read.bytes);
  }
  const auto* const first = reinterpret_cast<const uint8_t*>(read.bytes.data());
  return DecodedImage{read.size->first, read.size->second, {first, first + read.bytes.size()}, {}};
}

}  // namespace

ImageFacts facts_of(const std::string& name, std::span<const uint8_t> pixels, int64_t width,
                    int64_t height) {
  Sha256 hash;
  const std::string size = concat(width, "x", height, ":");
  hash.update(std::as_bytes(std::span(size)));
  hash.update(std::as_bytes(pixels));
  return {name, "", hash.digest(), is_constant(pixels)};
}

LoadedImage load_image(const ImageSource& source, size_t index, const FeatureStore* known) {
  const SourceImage& image = source.content().images[index];
  LoadedImage loaded;
  loaded.index = index;
  loaded.facts.name = image.name;
  if (!image.problem.empty()) {
    loaded.problem = image.problem;
    return loaded;
  }
  ImageBytes read;
  try {
    read = source.read(index);
  } catch (const Error& error) {
    loaded.problem = error.what();
    return loaded;
  }
  const std::string file_sha256 = sha256(read.bytes);
  loaded.changed = !image.recorded_sha256.empty() && image.recorded_sha256 != file_sha256;
  if (!read.size) {
    loaded.label = label_in(read.bytes);
  }
  if (known != nullptr) {
    loaded.known = known->find(file_sha256);
  }
  if (loaded.known) {
    loaded.facts = *loaded.known->facts;
    loaded.facts.name = image.name;
    return loaded;
  }
  if (std::optional<DecodedImage> decoded = pixels_of(read)) {
    loaded.image = std::move(*decoded);
    loaded.facts =
        facts_of(image.name, loaded.image.pixels, loaded.image.width, loaded.image.height);
  } else {
    loaded.problem = why_not_decoded(read.bytes);
  }
  loaded.facts.file_sha256 = file_sha256;
  return loaded;
}

ImageLoader::ImageLoader(const ImageSource& source, const FeatureStore* known, int64_t threads,
                         size_t window, std::vector<size_t> order)
    : source_(source), known_(known), order_(std::move(order)), window_(window) {
  if (order_.empty()) {
    order_.resize(source.content().images.size());
    std::iota(order_.begin(), order_.end(), 0);
  }
  for (int64_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

ImageLoader::~ImageLoader() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

std::optional<LoadedImage> ImageLoader::next() {
  std::unique_lock lock(mutex_);
  if (taken_ == order_.size()) {
    return std::nullopt;
  }
  changed_.wait(lock, [this] { return ready_.contains(taken_) || error_; });
  if (error_) {
    std::rethrow_exception(error_);
  }
  LoadedImage image = std::move(ready_.extract(taken_).mapped());
  ++taken_;
  lock.unlock();
  changed_.notify_all();
  return image;
}

void ImageLoader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] {
      return ending_ || error_ || begun_ == order_.size() || begun_ < taken_ + window_;
    });
    if (ending_ || error_ || begun_ == order_.size()) {
      return;
    }
    const size_t place = begun_++;
    lock.unlock();
    LoadedImage image;
    std::exception_ptr error;
    try {
      image = load_image(source_, order_[place], known_);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error) {
      error_ = error;
    } else {
      ready_.emplace(place, std::move(image));
    }
    changed_.notify_all();
  }
}

}  // namespace lazymar
