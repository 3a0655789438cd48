#include "generate/score_while_generating.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "metrics/extractor.h"
#include "rules/rules.h"
#include "run/image_files.h"
#include "run/signals.h"
#include "score/extractor_choice.h"
#include "score/image_loader.h"
#include "score/rule_passes.h"
#include "score/scorer.h"
#include "weights/weight_hash.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kSignEvery(200);
constexpr const char* kRules = "rules";  // in place of a reference

void print(const std::string& text) {
  std::fputs(visible(text, /*keep_lines=*/true).c_str(), stdout);
  std::fflush(stdout);
}

void refuse_to_stay() {
  if (stop_request()) {
    throw Error(ErrorKind::kIncomplete, "stopped while scoring; the same command continues");
  }
}

Features concatenated(const std::vector<Features>& parts) {
  std::vector<at::Tensor> pool;
  std::vector<at::Tensor> logits;
  for (const Features& part : parts) {
    pool.push_back(part.pool);
    logits.push_back(part.logits);
  }
  return {at::cat(pool), at::cat(logits)};
}

/// Computes features while generating, and scores against the reference at the end. Images whose
/// features are missing are read back.
class FeatureScoring final : public RunScoring {
 public:
  FeatureScoring(fs::path reference, const ExtractorRequest& extractor, int64_t threads,
                 c10::Device device);

  /// The returned function writes the features to info/features/.
  ShardCompanion take(const GeneratedBatch& made, const ShardIds& ids, const fs::path& run,
                      const std::function<void()>& between) const override;
  /// Writes info/scores.json. Throws Error (output) if it cannot.
  void finish(const fs::path& run, const std::function<void()>& alive) const override;

 private:
  fs::path reference_;
  int64_t threads_;
  std::unique_ptr<const FeatureExtractor> extractor_;
  std::string extractor_sha256_;
};

FeatureScoring::FeatureScoring(fs::path reference, const ExtractorRequest& extractor,
                               int64_t threads, c10::Device device)
    : reference_(std::move(reference)),
      threads_(threads),
      extractor_(load_extractor(extractor, device)),
      extractor_sha256_(WeightHash(extractor_->info().weights).get()) {
  check_statistics(reference_, *extractor_);
}

ShardCompanion FeatureScoring::take(const GeneratedBatch& made, const ShardIds& ids,
                                    const fs::path& run,
                                    const std::function<void()>& between) const {
  std::vector<int64_t> slots;
  for (int64_t slot = 0; slot < ids.count; ++slot) {
    if (made.sound[static_cast<size_t>(slot)]) {
      slots.push_back(slot);
    }
  }
  if (slots.empty()) {
    return {};
  }
  const at::Tensor pixels = made.pixels.index_select(0, at::tensor(slots, c10::kLong));
  const auto count = static_cast<int64_t>(slots.size());
  std::vector<Features> parts;
  for (int64_t first = 0; first < count; first += extractor_->info().batch_size) {
    const int64_t size = std::min(extractor_->info().batch_size, count - first);
    parts.push_back((*extractor_)(pixels.narrow(0, first, size)));
    between();
  }
  const ExtractorId extractor{extractor_->info().name, extractor_sha256_};
  return [pixels, features = concatenated(parts), run, extractor](const ShardRecord& record) {
    FeatureRows rows{{}, features.pool, features.logits};
    for (size_t i = 0; i < record.images.size(); ++i) {
      const at::Tensor image = pixels[static_cast<int64_t>(i)];
      ImageFacts facts =
          facts_of(image_name(record.images[i].id),
                   {image.const_data_ptr<uint8_t>(), static_cast<size_t>(image.numel())},
                   image.size(1), image.size(0));
      facts.file_sha256 = record.images[i].sha256;
      rows.images.push_back(std::move(facts));
    }
    const fs::path path = shard_feature_file(run, extractor.name, record.shard);
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    write_drift_file(path, rows, extractor);
  };
}

void FeatureScoring::finish(const fs::path& run, const std::function<void()>& alive) const {
  const std::jthread signs([&alive](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      alive();
      std::this_thread::sleep_for(kSignEvery);
    }
  });
  const Metrics metrics;
  const FeatureKeeping keeping{true, true, std::nullopt};
  const Scoring scoring(*extractor_, keeping, threads_, {refuse_to_stay, print});
  std::unique_ptr<ImageSource> source;
  try {
    source = open_image_source(run);
  } catch (const Error& error) {
    log_warning(concat("nothing to score: ", error.what()));
    return;
  }
  const Reference reference = scoring.reference(reference_, metrics);
  const FeatureTable table = scoring.features(*source);
  const RunScores scores =
      score_features(run.string(), table, extractor_->info().name, &reference, metrics);
  write_scores(run, scores_json(scores, table, scoring.extractor(), &reference, std::nullopt));
  print(scores_text({scores}, {}));
}

/// Checks the pictures' rules at the end.
class RuleScoring final : public RunScoring {
 public:
  explicit RuleScoring(int64_t threads) : threads_(threads) {}

  ShardCompanion take(const GeneratedBatch& made, const ShardIds&, const fs::path&,
                      const std::function<void()>&) const override {
    if (made.pixels.size(1) != kRuleSide || made.pixels.size(2) != kRuleSide) {
      throw usage_error("--score rules: the model's images have ", made.pixels.size(2), "x",
                        made.pixels.size(1), " pixels; use --model rules, or another reference");
    }
    return {};
  }

  /// Writes info/rules.json.
  void finish(const fs::path& run, const std::function<void()>& alive) const override {
    alive();
    score_rules({run}, std::nullopt, threads_);
  }

 private:
  int64_t threads_;
};

}  // namespace

std::unique_ptr<const RunScoring> make_run_scoring(const EvalOptions& options, c10::Device device) {
  if (!options.score) {
    return nullptr;
  }
  if (*options.score == kRules) {
    return std::make_unique<const RuleScoring>(options.png_threads);
  }
  ExtractorRequest extractor = options.extractor;
  extractor.checkpoint_dir = options.model.checkpoint_dir;
  const fs::path reference = find_reference(*options.score, extractor);
  check_reference(reference, extractor.name);  // before weights are needed
  return std::make_unique<const FeatureScoring>(reference, extractor, options.png_threads, device);
}

}  // namespace lazymar
