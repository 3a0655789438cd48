#pragma once
/// The Gaussian that FID takes a set of images for, and its file.

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace lazymar {

/// Mean and covariance of features.
struct GaussianStatistics {
  at::Tensor mu;     ///< [D] fp64
  at::Tensor sigma;  ///< [D, D] fp64: unbiased, divided by n - 1 (as numpy.cov)
};

/// Reads arrays `mu` [D] and `sigma` [D, D], float32 or float64, of an .npz; others beside them
/// (OpenAI's `mu_s`, `sigma_s`, `arr_0`) are left alone. Serves adm_in256_stats.npz and
/// VIRTUAL_imagenet256_labeled.npz alike. Throws Error (usage) where the file is not there (saying
/// where the published ones come from), is damaged, lacks an array, or holds values that are not
/// finite or a sigma that is not symmetric.
GaussianStatistics read_statistics(const std::filesystem::path& path);

/// Writes `mu` and `sigma` as float64, uncompressed; whole or not at all. Throws Error (output).
void write_statistics(const std::filesystem::path& path, const GaussianStatistics& statistics);

}  // namespace lazymar
