#include "lazymar/nn/ops.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "lazymar/nn/flops.h"

// One copy of a function per generation of x86, chosen when the program starts. The bits are the
// same in all of them: this file is compiled without contraction into fused multiply-adds.
#if defined(__x86_64__)
#define LAZYMAR_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LAZYMAR_VECTOR_CLONES
#endif

namespace lazymar {

at::Tensor modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  return at::addcmul(x + shift, x, scale);
}

at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y) {
  return at::addcmul(x, gate, y);
}

namespace {

/// e^t for t up to 88, to 2 ulp: 2^k e^r with |r| <= ln 2 / 2, e^r by its Taylor polynomial with
/// coefficients fitted to that range (Cephes, expf). Written so that compilers vectorise it.
inline float exp_approximated(float t) {
  constexpr float kLog2E = 1.44269504088896341F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float shifted = t * kLog2E + kRounder;
  const float k = shifted - kRounder;
  const float r = (t - k * kLn2High) - k * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRounder);
  return p * std::bit_cast<float>((exponent + 127) << 23);
}

LAZYMAR_VECTOR_CLONES void silu_values(const float* x, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    // Below -88 the result is as good as zero, and e^88 is as far as the approximation goes.
    const float bounded = x[i] < -88.0F ? -88.0F : x[i];
    const float t = bounded > 87.0F ? -87.0F : -bounded;
    y[i] = bounded / (1.0F + exp_approximated(t));
  }
}

void silu_values(const double* x, double* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    y[i] = x[i] / (1.0 + std::exp(-x[i]));
  }
}

template <typename T>
at::Tensor silu_on_cpu(const at::Tensor& x) {
  constexpr int64_t kGrain = 1 << 14;
  // Elements in the order in which they lie in memory.
  const at::Tensor in = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  at::Tensor out = at::empty_like(in);
  const T* from = in.const_data_ptr<T>();
  T* to = out.mutable_data_ptr<T>();
  at::parallel_for(0, in.numel(), kGrain, [&](int64_t begin, int64_t end) {
    silu_values(from + begin, to + begin, end - begin);
  });
  return out;
}

}  // namespace

at::Tensor silu(const at::Tensor& x) {
  if (!x.is_cpu()) {
    return at::silu(x);
  }
  return x.scalar_type() == c10::kDouble ? silu_on_cpu<double>(x) : silu_on_cpu<float>(x);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const int64_t batch = q.size(0);
  const int64_t queries = q.size(2);
  const int64_t width = q.size(1) * q.size(3);
  count_matmul(batch * queries, 2 * width, k.size(2));
  const at::Tensor out = at::scaled_dot_product_attention(q, k, v);
  return out.transpose(1, 2).reshape({batch, queries, width});
}

at::Tensor mean_cosine_similarity(const at::Tensor& a, const at::Tensor& b) {
  return at::cosine_similarity(a, b, /*dim=*/-1).mean(1);
}

}  // namespace lazymar
