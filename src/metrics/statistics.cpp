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
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/missing_path.h"
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

/// The array of that name in any case; empty if there is none.
std::string array_like(const NpzArchive& archive, const char* wanted) {
  for (const std::string& name : archive.names()) {
    if (lower(name) == wanted) {
      return name;
    }
  }
  return {};
}

/// See why_no_statistics(). `file`: for NumPy's line.
std::string why_no_pair(const NpzArchive& archive, const std::string& file) {
  for (const auto& [mean, covariance] : kNames) {
    const std::string first = array_like(archive, mean);
    const std::string second = array_like(archive, covariance);
    if (!first.empty() && !second.empty()) {
      return concat("holds ", in_quotes(first), " and ", in_quotes(second), ", but statistics are ",
                    in_quotes(mean), " and ", in_quotes(covariance), "; with NumPy: x = np.load('",
                    file, "'); np.savez('stats.npz', ", mean, "=x['", first, "'], ", covariance,
                    "=x['", second, "'])");
    }
    const bool telling = std::string_view(mean).size() > 1;
    if (telling && first.empty() != second.empty() && !archive.has("arr_0")) {
      return concat("holds ", in_quotes(first.empty() ? second : first), ", but no ",
                    in_quotes(first.empty() ? mean : covariance),
                    "; statistics are both; save them in one .npz");
    }
  }
  return {};
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

std::string why_no_statistics(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return {};
  }
  const std::string file = path.filename().string();
  const std::string extension = lower(path.extension().string());
  for (const auto& [of, load] : {std::pair(".pt", "torch.load('"),
                                 {".pth", "torch.load('"},
                                 {".pkl", "pickle.load(open('"},
                                 {".pickle", "pickle.load(open('"}}) {
    if (extension == of) {
      const bool torch = std::string_view(load).starts_with("torch");
      return concat("statistics are read from an .npz; with Python: x = ", load, file,
                    torch ? "', weights_only=False)" : "', 'rb'))",
                    "; np.savez('stats.npz', mu=x['mu'], sigma=x['sigma'])");
    }
  }
  return extension == ".npz" ? why_no_pair(NpzFile(path).arrays(), file) : "";
}

GaussianStatistics read_statistics(const std::filesystem::path& path) {
  const std::string name = path.string();
  if (!std::filesystem::exists(path)) {
    throw usage_error(name, ": not found", meant_from_here(path),
                      ". ImageNet 256x256: VIRTUAL_imagenet256_labeled.npz from ",
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
  statistics.half = sigma.type == ElementType::kF16;
  for (const auto& [array, values] :
       {std::pair(mean, &statistics.mu), {covariance, &statistics.sigma}}) {
    const int64_t bad = values->numel() - values->isfinite().sum().item<int64_t>();
    if (bad > 0) {
      throw usage_error(
          name, ": ", in_quotes(array), ": ", bad, " of ", values->numel(),
          " values are NaN or infinite; compute the statistics again",
          statistics.half ? ", and save them as float64: float16 holds at most 65504" : "");
    }
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
