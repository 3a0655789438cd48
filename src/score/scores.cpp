#include "score/scores.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "files/sha256.h"
#include "metrics/inception_score.h"
#include "metrics/kid.h"
#include "metrics/moments.h"

namespace lazymar {
namespace {

constexpr int64_t kMomentRows = 1024;

/// For networks other than Inception, FID and the other names are used only by analogy.
void note_extractor(RunScores& scores, const std::string& extractor) {
  if (extractor != "inception") {
    scores.notes.push_back(
        concat("the extractor is ", extractor,
               ", not Inception: compare these scores only with others from the same extractor"));
  }
}

void add_interval(Score& score, const std::vector<int64_t>& strata) {
  score.interval = score_interval(score.value, standard_error(score.effects.effects, strata));
}

void add_fid(RunScores& scores, const FeatureTable& table, const Reference& reference) {
  const GaussianStatistics set = statistics_of(table.rows.pool);
  scores.frechet = reference.gaussian->distance_from(set);
  Score& fid = scores.fid.emplace();
  fid.value = scores.frechet->distance;
  fid.effects = frechet_effects(table.rows.pool, set, *reference.gaussian, *scores.frechet);
  add_interval(fid, scores.strata);
  const int64_t dim = scores.frechet->dim;
  if (scores.frechet->rank_deficient()) {
    scores.notes.push_back(concat(
        "the covariance has rank ", scores.frechet->rank, " of ", dim, " (the reference's ",
        scores.frechet->rank_reference,
        "): FID is computed within that subspace, does not estimate FID at more images, and its "
        "interval is not reliable"));
  }
}

void add_inception_score(RunScores& scores, const FeatureTable& table) {
  try {
    const MeanDeviation found = inception_score(table.rows.logits);
    Score& score = scores.inception_score.emplace();
    score.value = found.mean;
    scores.inception_deviation = found.deviation;
    score.effects = inception_effects(table.rows.logits);
    add_interval(score, scores.strata);
  } catch (const Error& error) {
    scores.notes.push_back(concat("no Inception Score: ", error.what()));
  }
}

void add_with_images(RunScores& scores, const FeatureTable& table, const Reference& reference,
                     const Metrics& metrics) {
  try {
    if (metrics.kid) {
      scores.kid = kernel_inception_distance(table.rows.pool, reference.pool);
    }
  } catch (const Error& error) {
    scores.notes.push_back(concat("no KID: ", error.what()));
  }
  try {
    if (metrics.precision_recall) {
      scores.precision_recall = precision_recall(table.rows.pool, reference.pool);
    }
  } catch (const Error& error) {
    scores.notes.push_back(concat("no precision and recall: ", error.what()));
  }
}

std::string hash_of_images(const FeatureTable& table) {
  Sha256 hash;
  for (const ImageFacts& image : table.rows.images) {
    hash.update(std::as_bytes(std::span(image.file_sha256)));
  }
  return hash.digest();
}

/// Effects of a run by the images' names.
std::map<std::string, double> by_name(const RunScores& scores, const Score& score) {
  const double* effects = score.effects.effects.const_data_ptr<double>();
  std::map<std::string, double> found;
  for (size_t i = 0; i < scores.names.size(); ++i) {
    found[scores.names[i]] = effects[i];
  }
  return found;
}

ScoreDifference difference(const RunScores& baseline, const Score& before, const RunScores& run,
                           const Score& after) {
  std::map<std::string, double> effects = by_name(run, after);
  for (const auto& [name, effect] : by_name(baseline, before)) {
    effects[name] -= effect;
  }
  std::map<std::string, int64_t> strata;
  for (const RunScores* scores : {&baseline, &run}) {
    for (size_t i = 0; i < scores->strata.size(); ++i) {
      strata[scores->names[i]] = scores->strata[i];
    }
  }
  std::vector<double> values;
  std::vector<int64_t> groups;
  for (const auto& [name, effect] : effects) {
    values.push_back(effect);
    if (strata.size() == effects.size()) {
      groups.push_back(strata.at(name));
    }
  }
  ScoreDifference found;
  found.value = after.value - before.value;
  found.interval =
      score_interval(found.value, standard_error(at::tensor(values, c10::kDouble), groups));
  found.inside_noise = found.interval.first <= 0 && found.interval.second >= 0;
  return found;
}

/// `better`: the sign of a difference for the better.
std::string sentence(const char* score, double better, const ScoreDifference& found, bool paired) {
  const std::string meaning =
      found.inside_noise
          ? "inside the noise"
          : concat("outside the noise, for the ", found.value * better > 0 ? "better" : "worse");
  char text[256];
  std::snprintf(text, sizeof text,
                "its %s minus the baseline's: %+.3f (95 %% interval: %+.3f to %+.3f), %s%s", score,
                found.value, found.interval.first, found.interval.second, meaning.c_str(),
                paired ? "" : " (independent sets: no images are paired)");
  return text;
}

}  // namespace

GaussianStatistics statistics_of(const at::Tensor& pool) {
  Moments moments;
  for (int64_t first = 0; first < pool.size(0); first += kMomentRows) {
    moments.add(pool.narrow(0, first, std::min(kMomentRows, pool.size(0) - first)));
  }
  return moments.statistics();
}

RunScores score_features(const std::string& source, const FeatureTable& table,
                         const std::string& extractor, const Reference* reference,
                         const Metrics& metrics) {
  const c10::InferenceMode guard;
  RunScores scores;
  scores.source = source;
  scores.images = table.health.images;
  scores.images_sha256 = hash_of_images(table);
  scores.strata = table.labels;
  for (const ImageFacts& image : table.rows.images) {
    scores.names.push_back(image.name);
  }
  if (!metrics.any()) {
    return scores;
  }
  note_extractor(scores, extractor);
  if (scores.images < kFewImages) {
    scores.notes.push_back(concat(scores.images, " images are too few (use at least ", kFewImages,
                                  "): FID is far too high, the Inception Score too low"));
  }
  if (reference != nullptr && metrics.fid) {
    add_fid(scores, table, *reference);
  }
  if (metrics.inception_score) {
    add_inception_score(scores, table);
  }
  if (reference != nullptr && reference->pool.defined()) {
    add_with_images(scores, table, *reference, metrics);
  } else if (reference != nullptr && (metrics.kid || metrics.precision_recall)) {
    scores.notes.emplace_back(
        "no KID, precision or recall: the reference contains only statistics");
  }
  return scores;
}

RunDifference score_difference(const RunScores& baseline, const RunScores& run) {
  RunDifference found{run.source, baseline.source, baseline.images_sha256, 0, {}, {}, {}};
  const std::set<std::string> partners(baseline.names.begin(), baseline.names.end());
  found.pairs = std::count_if(run.names.begin(), run.names.end(),
                              [&](const std::string& name) { return partners.contains(name); });
  const bool paired = found.pairs > 0;
  if (baseline.fid && run.fid) {
    found.fid = difference(baseline, *baseline.fid, run, *run.fid);
    found.sentences.push_back(sentence("FID", -1, *found.fid, paired));
  }
  if (baseline.inception_score && run.inception_score) {
    found.inception_score =
        difference(baseline, *baseline.inception_score, run, *run.inception_score);
    found.sentences.push_back(sentence("Inception Score", 1, *found.inception_score, paired));
  }
  if (baseline.images != run.images) {
    found.sentences.push_back(concat("the sets have ", baseline.images, " and ", run.images,
                                     " images, so FID's bias differs between them"));
  }
  return found;
}

}  // namespace lazymar
