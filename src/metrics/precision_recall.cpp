#include "metrics/precision_recall.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "core/error.h"

namespace lazymar {
namespace {

/// Rows and columns of distances at once: 80 MB, and as much again while computing them.
constexpr int64_t kRows = 2000;
constexpr int64_t kColumns = 10000;

/// The radius of each row's ball, [N]: the distance to its k-th neighbour, the largest of the k + 1
/// smallest. A row is its own nearest neighbour, at a distance that rounding may leave above 0.
at::Tensor radii(const at::Tensor& set, int64_t k) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& rows : set.split(kRows)) {
    at::Tensor nearest;
    for (const at::Tensor& columns : set.split(kColumns)) {
      const at::Tensor distances = at::cdist(rows, columns);
      const at::Tensor near =
          std::get<0>(distances.topk(std::min(k + 1, columns.size(0)), 1, /*largest=*/false));
      nearest = nearest.defined()
                    ? std::get<0>(at::cat({nearest, near}, 1).topk(k + 1, 1, /*largest=*/false))
                    : near;
    }
    parts.push_back(nearest.amax(1));
  }
  return at::cat(parts);
}

double share(const at::Tensor& flags) {
  return flags.to(c10::kDouble).mean().item<double>();
}

}  // namespace

PrecisionRecall precision_recall(const at::Tensor& generated, const at::Tensor& real,
                                 int64_t neighborhood) {
  const int64_t fewest = std::min(generated.size(0), real.size(0));
  if (neighborhood < 1 || fewest <= neighborhood) {
    throw usage_error("precision and recall need more than ", neighborhood,
                      " images in each set; found ", fewest);
  }
  const at::Tensor generated_radii = radii(generated, neighborhood);
  const at::Tensor real_radii = radii(real, neighborhood);
  at::Tensor generated_inside = at::zeros({generated.size(0)}, c10::kBool);
  at::Tensor real_inside = at::zeros({real.size(0)}, c10::kBool);
  for (int64_t first = 0; first < real.size(0); first += kRows) {
    const at::Tensor rows = real.slice(0, first, first + kRows);
    for (int64_t left = 0; left < generated.size(0); left += kColumns) {
      const auto columns = [&](const at::Tensor& t) { return t.slice(0, left, left + kColumns); };
      const at::Tensor distances = at::cdist(rows, columns(generated));
      real_inside.slice(0, first, first + kRows)
          .logical_or_((distances <= columns(generated_radii)).any(1));
      columns(generated_inside)
          .logical_or_(
              (distances <= real_radii.slice(0, first, first + kRows).unsqueeze(1)).any(0));
    }
  }
  PrecisionRecall result{share(generated_inside), share(real_inside)};
  result.f_score =
      2 * result.precision * result.recall / std::max(1e-5, result.precision + result.recall);
  return result;
}

}  // namespace lazymar
