#pragma once
/// Error bars of scores by the infinitesimal jackknife (Jaeckel 1972; Efron 1982, chapter 6): the
/// influence of each image on a score, to first order. It takes one decomposition and no
/// resampling, and compares two sets from the same noise image by image.
///
/// An interval says where the score of another set of the same size, generated with another seed,
/// would fall. The reference is treated as exact. The interval is not for the score of infinitely
/// many images: the Fréchet distance of n images is too large by a bias of about c / n. This bias
/// is estimated separately (resampled bootstrap sets would have it twice).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "metrics/frechet.h"
#include "metrics/inception_score.h"
#include "metrics/statistics.h"

namespace lazymar {

using ScoreInterval = std::pair<double, double>;

/// Each image's influence on a score: score(set) - score(without image i) is about effects[i].
struct ScoreEffects {
  at::Tensor effects;  ///< [N] fp64, of sum 0
  double bias = 0;     ///< expected excess of the score over that of infinitely many images
};

/// Effects on the Fréchet distance of features [N, D], whose statistics are `set`: with T the map
/// that transports the set's covariance S to the reference's (T S T = R; Olkin and Pukelsheim
/// 1982), the distance's derivative by the mean is 2 (mu - mu_r) and by the covariance 1 - T. The
/// bias is the second-order term: tr S / n for the mean, and for tr (S R)^1/2 a term from the
/// features' fourth moments. If R^1/2 S R^1/2 lacks full rank, both are taken on its range.
/// `distance`: the set's from the reference.
ScoreEffects frechet_effects(const at::Tensor& features, const GaussianStatistics& set,
                             const FrechetReference& reference, const FrechetDistance& distance);

/// Effects on the Inception Score of logits [N, K], split as inception_score() splits them. Its
/// bias is set to 0: the score is defined for the size of its splits.
ScoreEffects inception_effects(const at::Tensor& logits, const InceptionScoreOptions& options = {});

/// An estimate's standard deviation and its degrees of freedom.
struct StandardError {
  double value = 0;
  double freedom = 1;
};

/// Standard deviation of a score over sets like this one. `strata` gives each image's group, if the
/// group sizes are fixed (the classes of a run): only the variation within groups counts. Groups of
/// one image are merged. Empty: one group.
StandardError standard_error(const at::Tensor& effects, std::span<const int64_t> strata = {});

/// `score` +- the quantile of Student's t that leaves 1 - `coverage` outside, times the error.
ScoreInterval score_interval(double score, const StandardError& error, double coverage = 0.95);

/// Quantile of Student's distribution by Fisher and Cornish's expansion (1960); within 3e-3 from 5
/// degrees of freedom on, at the usual levels.
double student_quantile(double probability, double freedom);

}  // namespace lazymar
