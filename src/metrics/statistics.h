#pragma once
/// The Gaussian by which FID models a set of images, and its file.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

namespace lazymar {

/// Mean and covariance of features.
struct GaussianStatistics {
  at::Tensor mu;      ///< [D] fp64
  at::Tensor sigma;   ///< [D, D] fp64: unbiased, divided by n - 1 (as numpy.cov)
  bool half = false;  ///< sigma was read from float16, whose rounding spoils its eigenvalues
};

/// Whether this is an .npz with a mean and a covariance under names that are read.
bool has_statistics(const std::filesystem::path& path);

/// Why a file is no statistics although its owner may take it for some, and what to do: what
/// torch.save or pickle wrote, or an .npz with one of the two arrays, or with their names in upper
/// case. Empty if nothing says so.
std::string why_no_statistics(const std::filesystem::path& path);

/// Reads arrays `mu` [D] and `sigma` [D, D] of an .npz, or `m` and `s`, or `mean` and `cov`, floats
/// in either byte order; other arrays are ignored, and named in a warning, once, unless they are
/// OpenAI's `mu_s`, `sigma_s` and `arr_0`. Reads
/// adm_in256_stats.npz and VIRTUAL_imagenet256_labeled.npz. Throws Error (usage) if the file is
/// missing (saying where to get the published ones), is damaged, has no such array, or contains NaN
/// or infinite values or an asymmetric sigma.
GaussianStatistics read_statistics(const std::filesystem::path& path);

/// Writes `mu` and `sigma` as float64, uncompressed, atomically. Throws Error (output).
void write_statistics(const std::filesystem::path& path, const GaussianStatistics& statistics);

}  // namespace lazymar
