#include "metrics/statistics.h"

#include <ATen/ATen.h>

#include <cstring>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "files/byte_reader.h"
#include "formats/npz.h"

namespace lazymar {
namespace {

constexpr int64_t kLargestDim = 1 << 14;

/// Names of a mean and its covariance: TTUR's and pytorch-fid's, and those of other scripts.
constexpr std::pair<const char*, const char*> kNames[] = {
    {"mu", "sigma"}, {"m", "s"}, {"mean", "cov"}};

/// The names that an archive has; the usual ones if it has none.
std::pair<const char*, const char*> names_in(const NpzArchive& archive) {
  for (const auto& names : kNames) {
    if (archive.has(names.first) && archive.has(names.second)) {
      return names;
    }
  }
  return kNames[0];
}

/// Names once what is neither the statistics nor known to stand beside them.
void warn_of_others(const NpzArchive& archive, const char* mean, const char* covariance,
                    const std::string& file) {
  const std::string_view used[] = {mean, covariance, "arr_0", "mu_s", "sigma_s"};  // OpenAI's last
  if (const std::string others = archive.other_names(used); !others.empty()) {
    log_warning_once(concat(file, ": the statistics are ", in_quotes(mean), " and ",
                            in_quotes(covariance), "; not used: ", others));
  }
}

/// The array as fp64, of a shape that was checked.
at::Tensor fp64_tensor(const NpyArray& array, const std::string& what) {
  const std::vector<double> values = to_doubles(array, what);
  return at::tensor(values).view(array.shape);
}

void check_symmetric(const at::Tensor& sigma, const std::string& what) {
  // Float32 files are symmetric to their own precision.
  const double largest = sigma.abs().max().item<double>();
  if ((sigma - sigma.t()).abs().max().item<double>() > 1e-5 * largest) {
    throw usage_error(what, ": not a covariance: not symmetric");
  }
}

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

}  // namespace

bool has_statistics(const std::filesystem::path& path) {
  std::error_code ignored;
  if (path.extension() != ".npz" || !std::filesystem::is_regular_file(path, ignored)) {
    return false;
  }
  const NpzFile file(path);
  const auto [mean, covariance] = names_in(file.arrays());
  return file.arrays().has(mean) && file.arrays().has(covariance);
}

GaussianStatistics read_statistics(const std::filesystem::path& path) {
  const std::string name = path.string();
  if (!std::filesystem::exists(path)) {
    throw usage_error(name, ": not found. ImageNet 256x256: VIRTUAL_imagenet256_labeled.npz from ",
                      "https://openaipublic.blob.core.windows.net/diffusion/jul-2021/ref_batches/"
                      "imagenet/256/, or adm_in256_stats.npz from fid_stats/ of "
                      "https://github.com/LTH14/mar");
  }
  const NpzFile file(path);
  const auto [mean, covariance] = names_in(file.arrays());
  const NpyArray mu = file.arrays().array(mean);
  const NpyArray sigma = file.arrays().array(covariance);
  if (mu.shape.size() != 1 || mu.shape[0] < 1 || mu.shape[0] > kLargestDim) {
    throw usage_error(name, ": mu has the shape ", shape_string(mu.shape), " instead of [D]");
  }
  if (sigma.shape != std::vector<int64_t>{mu.shape[0], mu.shape[0]}) {
    throw usage_error(name, ": sigma has the shape ", shape_string(sigma.shape), ", and mu ",
                      shape_string(mu.shape));
  }
  GaussianStatistics statistics{fp64_tensor(mu, name + ": mu"),
                                fp64_tensor(sigma, name + ": sigma")};
  if (!statistics.mu.isfinite().all().item<bool>() ||
      !statistics.sigma.isfinite().all().item<bool>()) {
    throw usage_error(name, ": contains NaN or infinite values");
  }
  check_symmetric(statistics.sigma, name + ": sigma");
  warn_of_others(file.arrays(), mean, covariance, name);
  return statistics;
}

void write_statistics(const std::filesystem::path& path, const GaussianStatistics& statistics) {
  const at::Tensor mu = statistics.mu.to(c10::kDouble).contiguous();
  const at::Tensor sigma = statistics.sigma.to(c10::kDouble).contiguous();
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  write_file_atomically(
      path,
      [&](const ByteSink& sink) {
        NpzWriter npz(sink);
        npz.begin("mu", ElementType::kF64, mu.sizes().vec());
        npz.write(bytes_of(mu));
        npz.begin("sigma", ElementType::kF64, sigma.sizes().vec());
        npz.write(bytes_of(sigma));
        npz.finish();
      },
      folder);
}

}  // namespace lazymar
