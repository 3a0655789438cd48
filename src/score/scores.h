#pragma once
/// The numbers of a set of images, with their error bars, for people and for scripts.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "metrics/frechet.h"
#include "metrics/intervals.h"
#include "metrics/mean_deviation.h"
#include "metrics/precision_recall.h"
#include "score/extraction.h"

namespace lazymar {

/// What sets are compared with.
struct Reference {
  std::string source;
  std::optional<FrechetReference> gaussian;
  at::Tensor pool;     ///< [M, D]; undefined where there are statistics alone
  int64_t images = 0;  ///< M; 0 where it is not known
};

/// Which scores to compute, where the reference allows.
struct Metrics {
  bool fid = true, inception_score = true, kid = true, precision_recall = true;

  bool any() const { return fid || inception_score || kid || precision_recall; }
};

/// A score, where other seeds would put it, and what each image adds to it.
struct Score {
  double value = 0;
  ScoreEffects effects;
  std::optional<ScoreInterval> interval;
};

/// Fewer images than these are said to be few (FID's covariance has no full rank then).
inline constexpr int64_t kFewImages = 2048;

struct RunScores {
  std::string source;
  int64_t images = 0;
  std::string images_sha256;  ///< of the files' hashes, in the order of names
  std::optional<Score> fid, inception_score;
  std::optional<FrechetDistance> frechet;
  double inception_deviation = 0;  ///< over splits
  std::optional<MeanDeviation> kid;
  std::optional<PrecisionRecall> precision_recall;
  std::vector<std::string> notes;  ///< what is not there, and what to know of what is
  // From here on what pairing takes.
  std::vector<std::string> names;
  std::vector<int64_t> strata;  ///< classes, where they are known of every image
};

/// Mean and covariance of features [n, D], n >= 2.
GaussianStatistics statistics_of(const at::Tensor& pool);

/// Throws Error (usage) where dimensions differ from the reference's. What cannot be computed
/// (splits or subsets of more images than there are) is left out, and a note says why.
RunScores score_features(const std::string& source, const FeatureTable& table,
                         const std::string& extractor, const Reference* reference,
                         const Metrics& metrics);

/// One score of a run against that of the first run.
struct ScoreDifference {
  double value = 0;  ///< run - baseline
  ScoreInterval interval;
  bool inside_noise = true;  ///< the interval holds 0
};

/// Two runs, image by image.
struct RunDifference {
  std::string run, baseline, baseline_images_sha256;
  int64_t pairs = 0;
  std::optional<ScoreDifference> fid, inception_score;
  std::vector<std::string> sentences;  ///< what it means, plainly
};

/// Pairs images by name; an image of one run alone adds to the error by itself. Where no name is
/// common the sets are independent, and a sentence says so.
RunDifference score_difference(const RunScores& baseline, const RunScores& run);

/// The object of a run in the JSON, which is also its info/scores.json (report/run_data.h reads
/// it).
nlohmann::ordered_json scores_json(const RunScores& scores, const FeatureTable& table,
                                   const ExtractorId& extractor, const Reference* reference,
                                   const std::optional<RunDifference>& difference);

/// What health says, in lines; before any number.
std::string health_text(const std::string& source, const FeatureTable& table);
/// The table of all runs, their notes and differences.
std::string scores_text(const std::vector<RunScores>& scores,
                        const std::vector<RunDifference>& differences);

}  // namespace lazymar
