#pragma once
/// Error bars of scores by the infinitesimal jackknife (Jaeckel 1972; Efron 1982, chapter 6): how
/// much every single image moves a score, to first order. It takes one decomposition, no
/// resampling, and two sets of images that were made from the same noise are compared image by
/// image.
///
/// An interval says where the score of another set of as many images would fall, drawn with
/// another seed; the reference is taken as given. It does not say where the score of endlessly many
/// images lies: the Fréchet distance of n images is too large by some bias / n, which is estimated
/// beside it (and which a bootstrap's resampled sets would have twice).

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

/// What each image adds to a score: score(set) - score(without image i) is about effects[i].
struct ScoreEffects {
  at::Tensor effects;  ///< [N] fp64, of sum 0
  double bias = 0;  ///< by how much the score is expected to exceed that of endlessly many images
};

/// Effects on the Fréchet distance of features [N, D], whose statistics are `set`: with T the map
/// that transports the set's covariance S to the reference's (T S T = R; Olkin and Pukelsheim
/// 1982), the distance's derivative by the mean is 2 (mu - mu_r) and by the covariance 1 - T. The
/// bias is the second-order term: tr S / n of the mean, and of tr (S R)^1/2 what the fourth moments
/// of the features give. Where R^1/2 S R^1/2 has no full rank, both are taken on its range.
/// `distance`: the set's from the reference.
ScoreEffects frechet_effects(const at::Tensor& features, const GaussianStatistics& set,
                             const FrechetReference& reference, const FrechetDistance& distance);

/// Effects on the Inception Score of logits [N, K], split as inception_score() splits them. Its
/// bias is left 0: the score is defined at the size of its splits.
ScoreEffects inception_effects(const at::Tensor& logits, const InceptionScoreOptions& options = {});

/// An estimate's standard deviation and the degrees of freedom it is known with.
struct StandardError {
  double value = 0;
  double freedom = 1;
};

/// Standard deviation of a score over sets like this one. `strata`, by image, groups what was drawn
/// with fixed counts (the classes of a run): only the variation within groups counts. Groups of one
/// image are taken together. Empty: one group.
StandardError standard_error(const at::Tensor& effects, std::span<const int64_t> strata = {});

/// `score` +- the quantile of Student's t that leaves 1 - `coverage` outside, times the error.
ScoreInterval score_interval(double score, const StandardError& error, double coverage = 0.95);

/// Quantile of Student's distribution by Fisher and Cornish's expansion (1960); within 3e-3 from 5
/// degrees of freedom on, at the usual levels.
double student_quantile(double probability, double freedom);

}  // namespace lazymar
