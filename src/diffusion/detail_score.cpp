#include "diffusion/detail_score.h"

#include <ATen/ATen.h>

namespace lazymar {

at::Tensor detail_score(const at::Tensor& z) {
  const int64_t most = z.size(-1) / 2;
  const c10::ScalarType type = z.scalar_type() == c10::kDouble ? c10::kDouble : c10::kFloat;
  const at::Tensor magnitudes = at::fft_rfft(z.to(type)).abs().narrow(-1, 1, most);
  const at::Tensor n = at::arange(1, most + 1, magnitudes.options());
  return (magnitudes * (1 + n / static_cast<double>(most))).sum(-1).to(c10::kFloat);
}

}  // namespace lazymar
