// The diffusion steps between two full ones, where the head's blocks add precomputed values. Rows
// are independent, so a thread block takes a few rows through all steps.
#include <type_traits>

#include "cuda/rows.h"

namespace lazymar::cuda {
namespace {

constexpr int kThreads = 256;

/// Offsets of the block's rows in shared memory, in values.
struct Layout {
  __host__ __device__ Layout(int rows, int64_t width, int64_t channels)
      : x(rows * width), predicted(x + rows * channels), scratch(predicted + rows * 2 * channels) {}

  int64_t hidden = 0;  ///< [rows, width]: h, then normed and modulated
  int64_t x;           ///< [rows, channels]
  int64_t predicted;   ///< [rows, 2 channels]: eps and v
  int64_t scratch;     ///< a value per warp
  __host__ __device__ int64_t size(int threads) const { return scratch + threads / kWarp; }
};

template <typename X>
struct ReversedValue {
  X x, x0;
};

/// A solver's step (diffusion/solvers.h, SolverStep) without the term of the step before; `noise`
/// may be null.
template <typename X>
__device__ inline ReversedValue<X> reversed(const X* c, X x, X eps, X v, const X* noise,
                                            X temperature) {
  const X x0 = x * c[0] - eps * c[1];
  const X mean = x0 * c[2] + x * c[3];
  if (noise == nullptr) {
    return {mean, x0};
  }
  const X scale = temperature * c[7];
  const X fraction = (v + X{1}) / X{2};
  const X log_variance = fraction * c[5] + (X{1} - fraction) * c[6];
  return {mean + exponential(log_variance / X{2}) * *noise * scale, x0};
}

template <typename X>
__global__ void __launch_bounds__(kThreads) reverse_kernel(ReverseArguments a) {
  const int64_t index = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= a.rows * a.channels) {
    return;
  }
  const int64_t row = index / a.channels;
  const int64_t channel = index % a.channels;
  const auto* c = static_cast<const X*>(a.coefficients);
  ReversedValue<X> value = reversed(
      c, row_of<X>(a.x, row)[channel], row_of<X>(a.eps, row)[channel], row_of<X>(a.v, row)[channel],
      a.noise.data != nullptr ? row_of<X>(a.noise, row) + channel : nullptr,
      static_cast<X>(a.temperature));
  if (a.previous_x0.data != nullptr) {
    value.x += row_of<X>(a.previous_x0, row)[channel] * c[4];
  }
  static_cast<X*>(a.out)[index] = value.x;
  if (a.x0 != nullptr) {
    static_cast<X*>(a.x0)[index] = value.x0;
  }
}

/// A block of kThreads threads with kRows rows. Y: the modulation's type.
template <typename X, typename Y, int kRows, int kThreads>
struct Window {
  const WindowArguments& a;
  int64_t first_row;
  int64_t rows;  ///< of this block
  X *hidden, *x, *predicted, *scratch;

  /// h = input_proj(x) + what the blocks add at `step`.
  __device__ void input(int64_t step) const {
    const auto* columns = static_cast<const X*>(a.in_columns);
    const auto* bias = static_cast<const X*>(a.in_bias);
    for (int64_t i = threadIdx.x; i < a.width; i += kThreads) {
      X sum[kRows];
      for (int r = 0; r < kRows; ++r) {
        sum[r] = bias[i];
      }
      for (int64_t c = 0; c < a.channels; ++c) {
        const X w = columns[c * a.width + i];
        for (int r = 0; r < kRows; ++r) {
          sum[r] += w * x[r * a.channels + c];
        }
      }
      for (int r = 0; r < kRows && r < rows; ++r) {
        hidden[r * a.width + i] = sum[r] + row_of<X>(a.sums, step, first_row + r)[i];
      }
    }
  }

  /// hidden = norm(hidden) * (1 + scale) + shift, row by row.
  __device__ void modulated_norm(int64_t step) const {
    for (int64_t r = 0; r < rows; ++r) {
      X* h = hidden + r * a.width;
      const Y* modulation = row_of<Y>(a.modulation, step, first_row + r);
      X sum = 0;
      for (int64_t i = threadIdx.x; i < a.width; i += kThreads) {
        sum += h[i];
      }
      const X mean = block_sum(sum, scratch) / static_cast<X>(a.width);
      X squares = 0;
      for (int64_t i = threadIdx.x; i < a.width; i += kThreads) {
        squares += (h[i] - mean) * (h[i] - mean);
      }
      const X variance = block_sum(squares, scratch) / static_cast<X>(a.width);
      const X factor = X{1} / root(variance + static_cast<X>(a.eps));
      for (int64_t i = threadIdx.x; i < a.width; i += kThreads) {
        const auto shift = static_cast<X>(widened(modulation[i]));
        const auto scale = static_cast<X>(widened(modulation[a.width + i]));
        h[i] = (h[i] - mean) * factor * (X{1} + scale) + shift;
      }
    }
  }

  /// predicted = final_linear(hidden): a warp per output.
  __device__ void output() const {
    const auto* weight = static_cast<const X*>(a.out_weight);
    const auto* bias = static_cast<const X*>(a.out_bias);
    const int lane = threadIdx.x % kWarp;
    for (int64_t o = threadIdx.x / kWarp; o < 2 * a.channels; o += kThreads / kWarp) {
      X sum[kRows] = {};
      for (int64_t i = lane; i < a.width; i += kWarp) {
        const X w = weight[o * a.width + i];
        for (int r = 0; r < kRows; ++r) {
          sum[r] += w * hidden[(r < rows ? r : 0) * a.width + i];
        }
      }
      for (int r = 0; r < kRows; ++r) {
        const X total = warp_sum(sum[r]);
        if (lane == 0 && r < rows) {
          predicted[r * 2 * a.channels + o] = total + bias[o];
        }
      }
    }
  }

  /// x of the step below, from x and what was predicted: guidance with the kept difference, then
  /// the solver's step.
  __device__ void reverse(int64_t index) const {
    const X* c = static_cast<const X*>(a.coefficients) + index * 8;
    const int64_t values = a.rows * a.channels;
    for (int64_t i = threadIdx.x; i < rows * a.channels; i += kThreads) {
      const int64_t row = i / a.channels;
      const int64_t channel = i % a.channels;
      const int64_t place = first_row * a.channels + i;
      X eps = predicted[row * 2 * a.channels + channel];
      if (a.difference != nullptr) {
        const X difference = static_cast<const X*>(a.difference)[place];
        eps = eps - difference + *static_cast<const X*>(a.guidance) * difference;
      }
      const X v = predicted[row * 2 * a.channels + a.channels + channel];
      const X* noise =
          c[7] != X{0} ? static_cast<const X*>(a.noise) + index * values + place : nullptr;
      x[i] = reversed(c, x[i], eps, v, noise, static_cast<X>(a.temperature)).x;
    }
  }
};

template <typename X, typename Y, int kRows, int kThreads>
__global__ void __launch_bounds__(kThreads) window_kernel(WindowArguments a) {
  const Layout layout(kRows, a.width, a.channels);
  X* memory = shared_memory<X>();
  const int64_t first_row = int64_t{blockIdx.x} * kRows;
  const int64_t left = a.rows - first_row;
  const Window<X, Y, kRows, kThreads> window{a,
                                             first_row,
                                             left < kRows ? left : kRows,
                                             memory + layout.hidden,
                                             memory + layout.x,
                                             memory + layout.predicted,
                                             memory + layout.scratch};
  const auto* from = static_cast<const X*>(a.x) + first_row * a.channels;
  for (int64_t i = threadIdx.x; i < kRows * a.channels; i += kThreads) {
    window.x[i] = i < window.rows * a.channels ? from[i] : X{0};
  }
  __syncthreads();
  for (int64_t step = 0; step < a.steps; ++step) {
    window.input(step);
    window.modulated_norm(step);  // of a row, a thread takes the values that it has just written
    __syncthreads();
    window.output();
    __syncthreads();
    window.reverse(a.first - step);
    __syncthreads();
  }
  auto* to = static_cast<X*>(a.out) + first_row * a.channels;
  for (int64_t i = threadIdx.x; i < window.rows * a.channels; i += kThreads) {
    to[i] = window.x[i];
  }
}

template <typename X>
size_t shared_bytes(int rows, int threads, int64_t width, int64_t channels) {
  return static_cast<size_t>(Layout(rows, width, channels).size(threads)) * sizeof(X);
}

constexpr size_t kMostShared = 96 * 1024;  // what every GPU since compute capability 8.0 has
// Few rows: one row per block and as many threads as possible, for the lowest latency. Many rows:
// several rows per block share each read of the weights.
constexpr int kFewThreads = 1024;
constexpr int kManyRows = 4;
constexpr int64_t kFewRows = 264;

}  // namespace

bool has_head_window(Element type, int64_t width, int64_t channels) {
  if (type == Element::kDouble) {
    return shared_bytes<double>(kManyRows, kFewThreads, width, channels) <= kMostShared;
  }
  return type == Element::kFloat &&
         shared_bytes<float>(kManyRows, kFewThreads, width, channels) <= kMostShared;
}

void reverse_step(Element type, const ReverseArguments& a, Stream stream) {
  with_types(type, type, [&]<typename X, typename Y>(X, Y) {
    if constexpr (std::is_same_v<X, Y>) {
      launch(reverse_kernel<X>, blocks_of(a.rows * a.channels, kThreads), {kThreads, 1, 1}, 0,
             stream, a);
    }
  });
}

void head_window(Element type, Element product, const WindowArguments& a, Stream stream) {
  with_types(type, product, [&]<typename X, typename Y>(X, Y) {
    const auto go = [&](auto kernel, int rows, unsigned threads) {
      launch(kernel, blocks_of(a.rows, rows), {threads, 1, 1},
             shared_bytes<X>(rows, static_cast<int>(threads), a.width, a.channels), stream, a);
    };
    if (a.rows <= kFewRows) {
      go(window_kernel<X, Y, 1, kFewThreads>, 1, kFewThreads);
    } else {
      go(window_kernel<X, Y, kManyRows, kThreads>, kManyRows, kThreads);
    }
  });
}

}  // namespace lazymar::cuda
