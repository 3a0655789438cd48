#include "score/scorer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "files/atomic_file.h"
#include "files/byte_reader.h"
#include "metrics/demo_classifier.h"
#include "metrics/inception.h"
#include "metrics/statistics.h"
#include "weights/weight_hash.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kSayEvery(30);

std::string part_name(int64_t part) {
  return concat(".part-", part);
}

constexpr const char* kInception = "inception";

/// The extractor with that many features; empty if there is none.
std::string extractor_of(int64_t features) {
  return features == kInceptionFeatures ? kInception : features == kDemoFeatures ? "demo" : "";
}

GaussianStatistics fitting_statistics(const fs::path& path, const ExtractorInfo& extractor) {
  GaussianStatistics statistics = read_statistics(path);
  if (statistics.mu.numel() != extractor.feature_dim) {
    throw usage_error(path.string(), ": statistics of ", statistics.mu.numel(),
                      " features; the extractor ", extractor.name, " gives ",
                      extractor.feature_dim);
  }
  return statistics;
}

/// Their decomposition, which shows whether sigma is a covariance.
FrechetReference gaussian_of(const fs::path& path, const GaussianStatistics& statistics) {
  if (statistics.sigma.count_nonzero().item<int64_t>() == 0) {
    throw usage_error(path.string(), ": sigma is all zeros, as of images that are all the same; ",
                      "compute the statistics again, of different images");
  }
  try {
    return FrechetReference(statistics);
  } catch (const Error& error) {
    throw usage_error(
        path.string(), ": ", error.what(),
        statistics.half ? ", and save them as float64: float16 rounds a sigma too much" : "");
  }
}

}  // namespace

Scoring::Scoring(const FeatureExtractor& extractor, FeatureKeeping keeping, int64_t threads,
                 ScoringHooks hooks)
    : extractor_(extractor),
      keeping_(std::move(keeping)),
      threads_(threads),
      hooks_(std::move(hooks)),
      extractor_id_{extractor.info().name, WeightHash(extractor.info().weights).get()} {}

fs::path Scoring::feature_file(const ImageSource& source, const std::string& part) const {
  const std::string own = keeping_.folder || !source.is_run()
                              ? concat(source.path().filename().string(), ".features.")
                              : "";
  return feature_folder(keeping_, source) / concat(own, extractor_id_.name, part, ".safetensors");
}

FeatureTable Scoring::features(const ImageSource& source) const {
  const ExtractorInfo& info = extractor_.info();
  FeatureStore known(extractor_id_, info.feature_dim, info.class_count);
  std::error_code ignored;
  if (keeping_.reuse && source.is_run() && !keeping_.folder) {
    known.add_folder(feature_folder(keeping_, source));
  } else if (keeping_.reuse) {
    for (int64_t part = 0; fs::exists(feature_file(source, part_name(part)), ignored); ++part) {
      known.add(feature_file(source, part_name(part)));
    }
    if (fs::exists(feature_file(source, ""), ignored)) {
      known.add(feature_file(source, ""));
    }
  }
  int64_t part = 0;
  auto last = std::chrono::steady_clock::now();
  ExtractionHooks hooks;
  hooks.progress = [&](int64_t done) {
    hooks_.between();
    if (const auto now = std::chrono::steady_clock::now(); now - last > kSayEvery) {
      last = now;
      log_info(concat(source.path().string(), ": features of ", done, " of ",
                      source.content().images.size(), " images"));
    }
  };
  if (keeping_.keep) {
    fs::create_directories(feature_folder(keeping_, source), ignored);
    hooks.keep = [&](const FeatureRows& rows) {
      while (fs::exists(feature_file(source, part_name(part)), ignored)) {
        ++part;
      }
      write_drift_file(feature_file(source, part_name(part)), rows, extractor_id_);
    };
  }
  FeatureTable table = extract_features(source, extractor_, known, threads_, hooks);
  hooks_.say(health_text(source.path().string(), table));
  if (keeping_.keep) {
    keep_whole(source, table);
  }
  return table;
}

void Scoring::keep_whole(const ImageSource& source, const FeatureTable& table) const {
  const fs::path whole = feature_file(source, "");
  std::error_code ignored;
  if (table.reused < table.health.images || !fs::exists(whole, ignored)) {
    write_drift_file(whole, table.rows, extractor_id_);
  }
  // It now contains everything that was written in parts.
  const std::string stem = whole.stem().string();
  std::vector<fs::path> parts;
  for (const auto& entry : fs::directory_iterator(whole.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(stem + ".part-") || name.starts_with(stem + ".block-")) {
      parts.push_back(entry.path());
    }
  }
  for (const fs::path& path : parts) {
    fs::remove(path, ignored);
  }
}

Reference Scoring::reference(const fs::path& path, const Metrics& metrics, RunsBelow below) const {
  Reference found;
  found.source = path.string();
  const bool wants_images = metrics.kid || metrics.precision_recall;
  if (has_statistics(path)) {
    found.gaussian.emplace(gaussian_of(path, fitting_statistics(path, extractor_.info())));
    if (!wants_images || !npz_has(path, "arr_0")) {
      return found;
    }
  }
  if (path.extension() == ".safetensors") {
    const FeatureFile file = read_feature_file(path);
    if (file.extractor != extractor_id_) {
      throw usage_error(path.string(), ": features of ", file.extractor.name,
                        ", maybe with other weights; this run uses ", extractor_id_.name);
    }
    found.pool = file.rows.pool.clone();
  } else {
    found.pool = features(*open_image_source(path, below)).rows.pool;
  }
  found.images = found.pool.size(0);
  if (!found.gaussian) {
    found.gaussian.emplace(gaussian_of(path, statistics_of(found.pool)));
  }
  return found;
}

fs::path feature_folder(const FeatureKeeping& keeping, const ImageSource& source) {
  if (keeping.folder) {
    return *keeping.folder;
  }
  if (source.is_run()) {
    return run_feature_file(source.path(), "").parent_path();
  }
  const fs::path parent = source.path().parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

void check_reference(const fs::path& path, const std::string& extractor, RunsBelow below) {
  if (has_statistics(path) || (path.extension() == ".npz" && !fs::exists(path))) {
    const int64_t features = read_statistics(path).mu.numel();  // reports where to get them
    const std::string owner = extractor_of(features);
    if (owner != extractor && (!owner.empty() || extractor == kInception)) {
      throw usage_error(path.string(), ": statistics of ", features, " features; ", extractor,
                        " has others",
                        owner.empty() ? "" : "; these belong to --extractor " + owner);
    }
  } else if (path.extension() == ".safetensors") {
    const std::string owner = read_feature_file(path).extractor.name;
    if (owner != extractor) {
      throw usage_error(path.string(), ": features of the extractor ", in_quotes(owner),
                        ", not of ", extractor, "; choose it with --extractor");
    }
  } else if (const std::string said = why_no_statistics(path); !said.empty()) {
    throw usage_error(path.string(), ": ", said);
  } else {
    (void)open_image_source(path, below);
  }
}

void check_statistics(const fs::path& path, const FeatureExtractor& extractor) {
  if (has_statistics(path)) {
    (void)gaussian_of(path, fitting_statistics(path, extractor.info()));
  }
}

void write_scores(const fs::path& run, const nlohmann::ordered_json& scores) {
  write_text_atomically(
      run / "info" / "scores.json",
      scores.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void leave_scores(const fs::path& run, const nlohmann::ordered_json& scores) {
  try {
    write_scores(run, scores);
  } catch (const Error& error) {
    log_warning(concat("cannot write the scores to the run folder: ", error.what()));
  }
}

}  // namespace lazymar
