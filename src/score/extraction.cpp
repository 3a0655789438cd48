#include "score/extraction.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/error.h"
#include "score/image_loader.h"

namespace lazymar {
namespace {

constexpr int64_t kKeptAtOnce = 2048;

/// Collects images of one size until they are a batch, and puts features in their rows.
class Extraction {
 public:
  Extraction(const ImageSource& source, const FeatureExtractor& extractor,
             const ExtractionHooks& hooks)
      : source_(source), extractor_(extractor), hooks_(hooks) {
    const auto count = static_cast<int64_t>(source.content().images.size());
    const ExtractorInfo& info = extractor.info();
    table_.rows.pool = at::empty({count, info.feature_dim}, c10::kFloat);
    table_.rows.logits = at::empty({count, info.class_count}, c10::kFloat);
    table_.health.planned = source.content().planned;
    table_.health.missing = source.content().missing;
  }

  void add(LoadedImage image) {
    Health& health = table_.health;
    if (!image.problem.empty()) {
      health.corrupt.emplace_back(image.facts.name, image.problem);
      return;
    }
    note(image);
    const int64_t row = rows_++;
    if (image.known) {
      ++table_.reused;
      copy(image.known->pool, table_.rows.pool[row]);
      copy(image.known->logits, table_.rows.logits[row]);
      return;
    }
    if (!pending_.empty() && (pending_.front().image.width != image.image.width ||
                              pending_.front().image.height != image.image.height)) {
      flush();
    }
    pending_.push_back(std::move(image));
    pending_rows_.push_back(row);
    if (static_cast<int64_t>(pending_.size()) == extractor_.info().batch_size) {
      flush();
    }
  }

  FeatureTable finish() {
    flush();
    keep();
    if (rows_ < 2) {
      throw usage_error(source_.path().string(), ": found ", rows_,
                        rows_ == 1 ? " usable image" : " usable images", "; scores need at least 2",
                        table_.health.corrupt.empty()
                            ? ""
                            : concat(" (", table_.health.corrupt.front().first, ": ",
                                     table_.health.corrupt.front().second, ")"));
    }
    table_.health.images = rows_;
    table_.rows.pool = table_.rows.pool.narrow(0, 0, rows_);
    table_.rows.logits = table_.rows.logits.narrow(0, 0, rows_);
    if (static_cast<int64_t>(table_.labels.size()) == rows_) {
      for (const int64_t label : table_.labels) {
        ++table_.health.classes[label];
      }
    } else {
      table_.labels.clear();
    }
    return std::move(table_);
  }

 private:
  /// What is known of a usable image.
  void note(const LoadedImage& image) {
    Health& health = table_.health;
    const ImageFacts& facts = image.facts;
    if (!image.image.left_out.empty()) {
      health.partly_read.emplace_back(facts.name, image.image.left_out);
    }
    if (image.changed) {
      health.changed.push_back(facts.name);
    }
    if (facts.constant) {
      health.constant.push_back(facts.name);
    }
    const auto [first, is_new] = first_with_.try_emplace(facts.pixel_sha256, facts.name);
    if (!is_new) {
      health.duplicates.emplace_back(facts.name, first->second);
    }
    if (image.label) {
      table_.labels.push_back(*image.label);
    }
    table_.rows.images.push_back(facts);
    table_.places.push_back(image.index);
  }

  static void copy(const float* from, const at::Tensor& to) {
    std::memcpy(to.mutable_data_ptr<float>(), from, to.nbytes());
  }

  void flush() {
    if (pending_.empty()) {
      return;
    }
    const DecodedImage& first = pending_.front().image;
    const auto count = static_cast<int64_t>(pending_.size());
    at::Tensor pixels = at::empty({count, first.height, first.width, 3}, c10::kByte);
    for (int64_t i = 0; i < count; ++i) {
      const std::vector<uint8_t>& image = pending_[static_cast<size_t>(i)].image.pixels;
      std::memcpy(pixels[i].mutable_data_ptr<uint8_t>(), image.data(), image.size());
    }
    const Features features = compute(pixels);
    const at::Tensor rows = at::tensor(pending_rows_, c10::kLong);
    table_.rows.pool.index_copy_(0, rows, features.pool);
    table_.rows.logits.index_copy_(0, rows, features.logits);
    new_rows_.insert(new_rows_.end(), pending_rows_.begin(), pending_rows_.end());
    pending_.clear();
    pending_rows_.clear();
    if (static_cast<int64_t>(new_rows_.size()) >= kKeptAtOnce) {
      keep();
    }
    hooks_.progress(rows_);
  }

  /// Passes on the rows computed since the last call.
  void keep() {
    if (new_rows_.empty()) {
      return;
    }
    FeatureRows rows;
    for (const int64_t row : new_rows_) {
      rows.images.push_back(table_.rows.images[static_cast<size_t>(row)]);
    }
    const at::Tensor index = at::tensor(new_rows_, c10::kLong);
    rows.pool = table_.rows.pool.index_select(0, index);
    rows.logits = table_.rows.logits.index_select(0, index);
    new_rows_.clear();
    hooks_.keep(rows);
  }

  Features compute(const at::Tensor& pixels) const {
    try {
      return extractor_(pixels);
    } catch (const Error& error) {
      throw Error(error.kind(), concat(source_.path().string(), ": ", pending_.front().facts.name,
                                       ": ", error.what()));
    }
  }

  const ImageSource& source_;
  const FeatureExtractor& extractor_;
  const ExtractionHooks& hooks_;
  FeatureTable table_;
  int64_t rows_ = 0;
  std::map<std::string, std::string> first_with_;  ///< pixels' hash -> name
  std::vector<LoadedImage> pending_;
  std::vector<int64_t> pending_rows_, new_rows_;
};

}  // namespace

FeatureTable extract_features(const ImageSource& source, const FeatureExtractor& extractor,
                              const FeatureStore& known, int64_t threads,
                              const ExtractionHooks& hooks) {
  using Clock = std::chrono::steady_clock;
  const c10::InferenceMode guard;
  const auto start = Clock::now();
  const auto window = static_cast<size_t>(2 * extractor.info().batch_size + threads);
  Extraction extraction(source, extractor, hooks);
  ImageLoader loader(source, &known, threads, window);
  while (std::optional<LoadedImage> image = loader.next()) {
    extraction.add(std::move(*image));
  }
  FeatureTable table = extraction.finish();
  table.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return table;
}

}  // namespace lazymar
