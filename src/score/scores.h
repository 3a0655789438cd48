#pragma once
/// The scores of a set of images, with error bars, for people and for scripts.

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

/// The reference that sets are compared with.
struct Reference {
  std::string source;
  std::optional<FrechetReference> gaussian;
  at::Tensor pool;     ///< [M, D]; undefined if there are only statistics
  int64_t images = 0;  ///< M; 0 if unknown
};

/// Which scores to compute, if the reference allows.
struct Metrics {
  bool fid = true, inception_score = true, kid = true, precision_recall = true;

  bool any() const { return fid || inception_score || kid || precision_recall; }
};

/// A score, its interval over seeds, and each image's influence.
struct Score {
  double value = 0;
  ScoreEffects effects;
  std::optional<ScoreInterval> interval;
};

/// With fewer images a note says so (FID's covariance then lacks full rank).
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
  std::vector<std::string> notes;  ///< missing scores, and reservations about the others
  // For pairing:
  std::vector<std::string> names;
  std::vector<int64_t> strata;  ///< classes, if known for every image
};

/// Mean and covariance of features [n, D], n >= 2.
GaussianStatistics statistics_of(const at::Tensor& pool);

/// Throws Error (usage) if dimensions differ from the reference's. Scores that cannot be computed
/// (more splits or larger subsets than images) are left out, and a note says why.
RunScores score_features(const std::string& source, const FeatureTable& table,
                         const std::string& extractor, const Reference* reference,
                         const Metrics& metrics);

/// One score of a run against that of the first run.
struct ScoreDifference {
  double value = 0;  ///< run - baseline
  ScoreInterval interval;
  bool inside_noise = true;  ///< the interval contains 0
};

/// Two runs, image by image.
struct RunDifference {
  std::string run, baseline, baseline_images_sha256;
  int64_t pairs = 0;
  std::optional<ScoreDifference> fid, inception_score;
  std::vector<std::string> sentences;  ///< what it means, plainly
};

/// Pairs images by name; an unpaired image adds to the error separately. If no name is shared, the
/// sets are independent, and a sentence says so.
RunDifference score_difference(const RunScores& baseline, const RunScores& run);

/// A run's object in the JSON, which is also its info/scores.json (run/run_data.h reads it).
nlohmann::ordered_json scores_json(const RunScores& scores, const FeatureTable& table,
                                   const ExtractorId& extractor, const Reference* reference,
                                   const std::optional<RunDifference>& difference);

/// The health of a set, as lines to print before any score.
std::string health_text(const std::string& source, const FeatureTable& table);
/// The table of all runs, their notes and differences.
std::string scores_text(const std::vector<RunScores>& scores,
                        const std::vector<RunDifference>& differences);

}  // namespace lazymar
