// GroupNorm over images with contiguous channels: moments over chunks of pixels, a factor and an
// offset per channel, then one scaling pass. Sums have a fixed order, so bits do not depend on
// other work.
#include <type_traits>

#include "cuda/rows.h"

namespace lazymar::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kChunk = 256;  ///< pixels of a block
constexpr int64_t kExact = 32;   ///< pixels added up in X before they are added in double

__device__ inline int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/// partials [images, chunks, groups, 2]: sum and sum of squares, channel by channel, then the
/// channels of each group.
template <typename In, typename X>
__global__ void __launch_bounds__(kThreads) moments_kernel(GroupNormArguments a) {
  double* of_channel = shared_memory<double>();  // [channels, 2]
  const int64_t image = blockIdx.y;
  const int64_t first = int64_t{blockIdx.x} * kChunk;
  const int64_t last = smaller(first + kChunk, a.pixels);
  const In* x = static_cast<const In*>(a.x) + image * a.pixels * a.channels;
  for (int64_t channel = threadIdx.x; channel < a.channels; channel += blockDim.x) {
    double sum = 0;
    double squares = 0;
    for (int64_t part = first; part < last; part += kExact) {
      X part_sum = 0;
      X part_squares = 0;
      for (int64_t pixel = part; pixel < smaller(part + kExact, last); ++pixel) {
        const X value = static_cast<X>(widened(x[pixel * a.channels + channel]));
        part_sum += value;
        part_squares += value * value;
      }
      sum += part_sum;
      squares += part_squares;
    }
    of_channel[2 * channel] = sum;
    of_channel[2 * channel + 1] = squares;
  }
  __syncthreads();
  const int64_t per_group = a.channels / a.groups;
  double* out = a.partials + (image * gridDim.x + blockIdx.x) * 2 * a.groups;
  for (int64_t i = threadIdx.x; i < 2 * a.groups; i += blockDim.x) {
    const int64_t group = i / 2;
    double total = 0;
    for (int64_t channel = group * per_group; channel < (group + 1) * per_group; ++channel) {
      total += of_channel[2 * channel + i % 2];
    }
    out[i] = total;
  }
}

/// scales [images, channels, 2]: factor and offset. A warp per group.
template <typename X>
__global__ void __launch_bounds__(kThreads) factors_kernel(GroupNormArguments a, int64_t chunks) {
  const int64_t image = blockIdx.y;
  const int64_t group = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  const int lane = threadIdx.x % kWarp;
  if (group >= a.groups) {
    return;  // the whole warp does
  }
  double sum = 0;
  double squares = 0;
  for (int64_t chunk = lane; chunk < chunks; chunk += kWarp) {
    const double* part = a.partials + ((image * chunks + chunk) * a.groups + group) * 2;
    sum += part[0];
    squares += part[1];
  }
  const int64_t per_group = a.channels / a.groups;
  const double count = static_cast<double>(a.pixels) * static_cast<double>(per_group);
  const double mean = warp_sum(sum) / count;
  double variance = warp_sum(squares) / count - mean * mean;
  if (variance < 0) {
    variance = 0;
  }
  const auto* weight = static_cast<const X*>(a.weight);
  const auto* bias = static_cast<const X*>(a.bias);
  for (int64_t i = lane; i < per_group; i += kWarp) {
    const int64_t channel = group * per_group + i;
    const double factor = static_cast<double>(weight[channel]) / sqrt(variance + a.eps);
    double* scale = a.scales + (image * a.channels + channel) * 2;
    scale[0] = factor;
    scale[1] = static_cast<double>(bias[channel]) - mean * factor;
  }
}

template <typename In, typename X, typename Out, int kPack>
__global__ void __launch_bounds__(kThreads) scale_kernel(GroupNormArguments a) {
  X* scales = shared_memory<X>();  // [channels, 2]
  const int64_t image = blockIdx.y;
  for (int64_t i = threadIdx.x; i < 2 * a.channels; i += kThreads) {
    scales[i] = static_cast<X>(a.scales[image * a.channels * 2 + i]);
  }
  __syncthreads();
  const int64_t first = int64_t{blockIdx.x} * kChunk;
  const int64_t last = smaller(first + kChunk, a.pixels);
  const int64_t start = (image * a.pixels + first) * a.channels;
  for (int64_t i = int64_t{threadIdx.x} * kPack; i < (last - first) * a.channels;
       i += kThreads * kPack) {
    const auto in = load<kPack>(static_cast<const In*>(a.x) + start + i);
    const X* scale = scales + i % a.channels * 2;
    Pack<Out, kPack> out;
    for (int j = 0; j < kPack; ++j) {
      const X value = static_cast<X>(widened(in.v[j])) * scale[2 * j] + scale[2 * j + 1];
      out.v[j] = Narrow<Out>::of(a.silu ? silu(value) : value);
    }
    store<kPack>(static_cast<Out*>(a.out) + start + i, out);
  }
}

}  // namespace

int64_t group_norm_chunks(int64_t pixels) {
  return (pixels + kChunk - 1) / kChunk;
}

void group_norm(Element in, Element weights, Element out, const GroupNormArguments& a,
                Stream stream) {
  const int64_t chunks = group_norm_chunks(a.pixels);
  const auto images = static_cast<unsigned>(a.images);
  const dim3 grid{static_cast<unsigned>(chunks), images, 1};
  const dim3 group_grid{blocks_of(a.groups, kThreads / kWarp).x, images, 1};
  const auto channels = static_cast<size_t>(a.channels);
  const auto narrow = static_cast<unsigned>((a.channels + kWarp - 1) / kWarp * kWarp);
  const dim3 by_channel{narrow < kThreads ? narrow : kThreads, 1, 1};
  with_types(weights, in, [&]<typename X, typename In>(X, In) {
    launch(moments_kernel<In, X>, grid, by_channel, 2 * channels * sizeof(double), stream, a);
    launch(factors_kernel<X>, group_grid, {kThreads, 1, 1}, 0, stream, a, chunks);
    with_types(weights, out, [&]<typename Same, typename Out>(Same, Out) {
      if constexpr (std::is_same_v<Same, X>) {
        const bool of_four =
            aligned(a.x, sizeof(In), a.channels, 0) && aligned(a.out, sizeof(Out), a.channels, 0);
        with_packs(of_four, [&](auto pack) {
          launch(scale_kernel<In, X, Out, decltype(pack)::value>, grid, {kThreads, 1, 1},
                 2 * channels * sizeof(X), stream, a);
        });
      }
    });
  });
}

}  // namespace lazymar::cuda
