#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "nn/cpu/loops.h"
#include "nn/cpu/tensors.h"
#include "nn/device_ops.h"
#include "nn/ops.h"
#include "nn/plain_ops.h"

namespace lazymar {
namespace {

using cpu::data;
using cpu::kGrain;
using cpu::mutable_data;
using cpu::with_types;

/// Rows whose sums stay in fp32, and rows that one task adds up. Both are fixed, so that the result
/// does not depend on the number of threads.
constexpr int64_t kMomentRows = 64;
constexpr int64_t kTaskRows = 1024;

/// Sums and sums of squares by image and channel, [2, B, C] in fp64; x [B, rows, C].
template <typename I>
at::Tensor channel_moments(const at::Tensor& x) {
  const int64_t images = x.size(0);
  const int64_t rows = x.size(1);
  const int64_t width = x.size(2);
  const int64_t tasks = (rows + kTaskRows - 1) / kTaskRows;
  const at::Tensor parts = at::zeros({images * tasks, 2, width}, c10::kDouble);
  at::parallel_for(0, images * tasks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      auto* sums = mutable_data<double>(parts) + task * 2 * width;
      const int64_t first = task % tasks * kTaskRows;
      const int64_t last = std::min(rows, first + kTaskRows);
      for (int64_t row = first; row < last; row += kMomentRows) {
        cpu::add_moments(data<I>(x) + (task / tasks * rows + row) * width,
                         std::min(kMomentRows, last - row), width, sums, sums + width);
      }
    }
  });
  at::Tensor moments = at::zeros({2, images, width}, c10::kDouble);
  auto* total = mutable_data<double>(moments);
  for (int64_t task = 0; task < images * tasks; ++task) {
    const auto* sums = data<double>(parts) + task * 2 * width;
    for (int64_t i = 0; i < width; ++i) {
      total[task / tasks * width + i] += sums[i];
      total[(images + task / tasks) * width + i] += sums[width + i];
    }
  }
  return moments;
}

/// By image and channel, [B, C]: normed = x * factor + offset.
struct Scaling {
  at::Tensor factor, offset;
};

Scaling group_scaling(const at::Tensor& moments, int64_t rows, const at::Tensor& weight,
                      const at::Tensor& bias, int64_t groups, double eps) {
  const auto count = static_cast<double>(rows * moments.size(2) / groups);
  const at::Tensor by_group = moments.unflatten(2, {groups, -1}).sum(-1, /*keepdim=*/true) / count;
  const at::Tensor mean = by_group[0];
  const at::Tensor factor = 1 / (by_group[1] - mean.square() + eps).sqrt();  // [B, groups, 1]
  const at::Tensor scale = (factor * weight.to(c10::kDouble).view({1, groups, -1})).flatten(1);
  const at::Tensor shift =
      bias.to(c10::kDouble) - (mean * scale.view({mean.size(0), groups, -1})).flatten(1);
  return {scale.to(weight), shift.to(weight)};
}

template <typename I, typename X, typename Y>
void scale_pixels(const at::Tensor& x, const Scaling& scaling, bool silu, const at::Tensor& out) {
  const int64_t rows = x.size(1);
  const int64_t width = x.size(2);
  const int64_t grain = std::max<int64_t>(1, kGrain / width);
  at::parallel_for(0, x.size(0) * rows, grain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t image = begin / rows;
      const int64_t count = std::min(end, (image + 1) * rows) - begin;
      cpu::scale_rows(cpu::ScaleRows<I, X, Y>{
          data<I>(x) + begin * width, data<X>(scaling.factor) + image * width,
          data<X>(scaling.offset) + image * width, mutable_data<Y>(out) + begin * width, count,
          width, silu});
      begin += count;
    }
  });
}

at::Tensor group_norm_on_cpu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             int64_t groups, double eps, c10::ScalarType type, bool silu) {
  const at::Tensor pixels = x.contiguous().flatten(1, -2);
  at::Tensor out = at::empty(x.sizes(), x.options().dtype(type));
  const auto run = [&]<typename I, typename X, typename Y>(I, X, Y) {
    const Scaling scaling =
        group_scaling(channel_moments<I>(pixels), pixels.size(1), weight, bias, groups, eps);
    scale_pixels<I, X, Y>(pixels, scaling, silu, out);
  };
  with_types(weight.scalar_type(), type, [&]<typename X, typename Y>(X, Y) {
    if (x.scalar_type() == weight.scalar_type()) {
      run(X{}, X{}, Y{});
    } else if constexpr (std::is_same_v<X, float>) {
      TORCH_CHECK(x.scalar_type() == c10::kBFloat16, "no loop for pixels of ", x.scalar_type());
      run(cpu::Bf16{}, X{}, Y{});
    }
  });
  return out;
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      int64_t groups, double eps, c10::ScalarType type) {
  if (const DeviceOps* device = device_ops(x)) {
    return device->group_norm(x, weight, bias, groups, eps, type, /*silu=*/false);
  }
  return x.is_cpu() ? group_norm_on_cpu(x, weight, bias, groups, eps, type, /*silu=*/false)
                    : plain::group_norm(x, weight, bias, groups, eps, type);
}

at::Tensor group_norm_silu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           int64_t groups, double eps, c10::ScalarType type) {
  if (const DeviceOps* device = device_ops(x)) {
    return device->group_norm(x, weight, bias, groups, eps, type, /*silu=*/true);
  }
  return x.is_cpu()
             ? group_norm_on_cpu(x, weight, bias, groups, eps, type, /*silu=*/true)
             : at::silu(plain::group_norm(x, weight, bias, groups, eps, weight.scalar_type()))
                   .to(type);
}

}  // namespace lazymar
