#include "score/command.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/exit_code.h"
#include "core/text.h"
#include "files/atomic_file.h"
#include "files/writable_check.h"
#include "metrics/demo_classifier.h"
#include "metrics/inception.h"
#include "metrics/statistics.h"
#include "pipeline/compute.h"
#include "score/image_npz.h"
#include "score/image_source.h"
#include "score/rule_passes.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string text_of(const ordered_json& json) {
  return json.dump(2, ' ', /*ensure_ascii=*/false, ordered_json::error_handler_t::replace) + "\n";
}

/// An extractor without features: for only checking images, or writing them.
class NoExtractor final : public FeatureExtractor {
 public:
  NoExtractor() : FeatureExtractor({"none", "", 0, 0, 0, 1, {}}) {}
  Features operator()(const at::Tensor& pixels) const override {
    const at::Tensor nothing = at::empty({pixels.size(0), 0}, c10::kFloat);
    return {nothing, nothing};
  }
};

bool needs_features(const ScoreOptions& options) {
  return options.metrics.any() || options.features.keep || options.save_stats;
}

RunsBelow runs_below(const ScoreOptions& options) {
  return options.merge ? RunsBelow::kMerged : RunsBelow::kOfferMerge;
}

/// Scores sets one by one: features of a set are dropped once it is scored.
class SetScoring {
 public:
  SetScoring(const ScoreOptions& options, const FeatureExtractor& extractor)
      : options_(options),
        out_(options.json && *options.json == "-" ? stderr : stdout),
        scoring_(extractor, options.features, options.decode_threads,
                 {[] {}, [this](const std::string& text) { say(text); }}) {
    if (options.reference) {
      reference_ = scoring_.reference(*options.reference, options.metrics, runs_below(options));
    }
  }

  void score(const fs::path& path, const ImageSource& source) {
    const FeatureTable table = scoring_.features(source);
    if (options_.save_stats) {
      write_statistics(*options_.save_stats, statistics_of(table.rows.pool));
    }
    if (options_.to_npz) {
      write_image_npz(*options_.to_npz, source, table, options_.decode_threads);
    }
    const Reference* reference = reference_ ? &*reference_ : nullptr;
    RunScores scores = score_features(path.string(), table, scoring_.extractor().name, reference,
                                      options_.metrics);
    std::optional<RunDifference> difference;
    if (!scores_.empty()) {
      difference = score_difference(scores_.front(), scores);
      differences_.push_back(*difference);
    }
    ordered_json json = scores_json(scores, table, scoring_.extractor(), reference, difference);
    if (source.is_run()) {
      leave_scores(source.path(), json);
    }
    json_.push_back(std::move(json));
    scores_.push_back(std::move(scores));
  }

  void report() const {
    say(scores_text(scores_, differences_));
    if (options_.json) {
      const std::string text = text_of({{"sets", json_}});
      if (*options_.json == "-") {
        std::fputs(text.c_str(), stdout);
      } else {
        write_text_atomically(*options_.json, text);
      }
    }
  }

 private:
  void say(const std::string& text) const {
    std::fputs(visible(text, /*keep_lines=*/true).c_str(), out_);
    std::fflush(out_);
  }

  const ScoreOptions& options_;
  std::FILE* out_;
  Scoring scoring_;
  std::optional<Reference> reference_;
  std::vector<RunScores> scores_;
  std::vector<RunDifference> differences_;
  ordered_json json_ = ordered_json::array();
};

/// Checks what needs no weights: outputs, sets and reference.
std::vector<std::unique_ptr<ImageSource>> open_sets(const ScoreOptions& options) {
  for (const auto& [path, name] : {std::pair(options.json, "--json"),
                                   {options.save_stats, "--save_stats"},
                                   {options.to_npz, "--to_npz"}}) {
    if (path && *path != "-") {
      check_output_file(*path, name);
    }
  }
  std::vector<std::unique_ptr<ImageSource>> sources;
  for (const fs::path& path : options.sets) {
    sources.push_back(open_image_source(path, runs_below(options)));
    if (options.features.keep) {
      check_output_folder(feature_folder(options.features, *sources.back()),
                          options.features.folder ? "--features_dir" : "--save_features");
    }
  }
  if (options.reference) {
    check_reference(*options.reference, options.extractor.name, runs_below(options));
  }
  return sources;
}

}  // namespace

ExitCode score(const ScoreOptions& given) {
  ScoreOptions options = given;
  if (options.reference) {
    options.reference = find_reference(*options.reference, options.extractor);
  }
  if (options.rules) {
    return score_rules(options.sets, options.json, options.decode_threads);
  }
  const c10::Device device =
      start_computing({.device = options.device, .threads = options.threads}).device;
  const std::vector<std::unique_ptr<ImageSource>> sources = open_sets(options);
  const std::unique_ptr<FeatureExtractor> extractor =
      needs_features(options) ? load_extractor(options.extractor, device)
                              : std::make_unique<NoExtractor>();
  SetScoring scoring(options, *extractor);
  for (size_t i = 0; i < sources.size(); ++i) {
    scoring.score(options.sets[i], *sources[i]);
  }
  scoring.report();
  return ExitCode::kDone;
}

}  // namespace lazymar
