// Norms, sums and gates over rows: bound by memory, so each value is read from it once.
#include <algorithm>

#include "cuda/norm.h"

namespace lazymar::cuda {
namespace {

constexpr int kThreads = 128;

/// For many rows: a warp per row. A lane holds its packs of rows up to kWarpHeld * kWarp * kPack
/// wide; of longer ones, it reads x three times.
constexpr int kWarpHeld = 12;  // 1536 values in packs of four: the widest published model

template <typename X, typename Y, int kPack>
__global__ void __launch_bounds__(kThreads) norm_kernel(RowShape shape, NormArguments a) {
  const int64_t row = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (row >= shape.rows) {
    return;  // the whole warp does
  }
  norm_held<kWarpHeld>(NormSource<X, Y, kPack>(a, row, shape.width),
                       NormedRow<X, Y, kPack>(a, row, static_cast<Y*>(a.out) + row * shape.width),
                       shape.width, a.eps, threadIdx.x % kWarp, kWarp,
                       [](X value) { return warp_sum(value); });
}

template <typename X, typename Y, int kPack>
__global__ void __launch_bounds__(kThreads)
    norm_of_long_rows_kernel(RowShape shape, NormArguments a) {
  const int lane = threadIdx.x % kWarp;
  const int64_t row = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (row >= shape.rows) {
    return;  // the whole warp does
  }
  const int64_t width = shape.width;
  const NormSource<X, Y, kPack> source(a, row, width);
  constexpr int64_t kStep = kWarp * kPack;
  X sum = 0;
  for (int64_t i = lane * kPack; i < width; i += kStep) {
    const auto pack = source.read(i);
    for (int j = 0; j < kPack; ++j) {
      sum += pack.v[j];
    }
  }
  const X mean = warp_sum(sum) / static_cast<X>(width);
  X squares = 0;
  for (int64_t i = lane * kPack; i < width; i += kStep) {
    const auto pack = source.again(i);
    for (int j = 0; j < kPack; ++j) {
      squares += (pack.v[j] - mean) * (pack.v[j] - mean);
    }
  }
  const X variance = warp_sum(squares) / static_cast<X>(width);
  const X factor = X{1} / root(variance + static_cast<X>(a.eps));
  const NormedRow<X, Y, kPack> normed(a, row, static_cast<Y*>(a.out) + row * width);
  for (int64_t i = lane * kPack; i < width; i += kStep) {
    normed.write(i, source.again(i), mean, factor);
  }
}

// Few rows leave most of a GPU idle, and latency dominates: use a block per row, which reads the
// row once.
constexpr int64_t kFewRows = 1024;
constexpr int kMostRowThreads = 256;
constexpr int kMostHeld = 2;  ///< packs of a thread

template <typename X, typename Y, int kPack>
__global__ void __launch_bounds__(kMostRowThreads)
    norm_of_few_rows_kernel(RowShape shape, NormArguments a) {
  X* scratch = shared_memory<X>();  // a value per warp
  const int64_t row = blockIdx.x;
  norm_held<kMostHeld>(NormSource<X, Y, kPack>(a, row, shape.width),
                       NormedRow<X, Y, kPack>(a, row, static_cast<Y*>(a.out) + row * shape.width),
                       shape.width, a.eps, threadIdx.x, blockDim.x,
                       [&](X value) { return block_sum(value, scratch); });
}

/// The thread's pack: its row and first element; false if none is left.
template <int kPack>
__device__ inline bool find_pack(const RowShape& shape, int64_t& row, int64_t& i) {
  const int64_t packs = shape.width / kPack;
  const int64_t index = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  row = index / packs;
  i = index % packs * kPack;
  return row < shape.rows;
}

/// A block per row: its position is computed once, with no more threads than a row of the published
/// models needs.
constexpr int kMostAddThreads = 64;

template <typename X, typename Y, int kPack>
__global__ void __launch_bounds__(kMostAddThreads) add_kernel(RowShape shape, AddArguments a) {
  const int64_t row = blockIdx.x;
  const X* x = row_of<X>(a.x, row);
  const Y* y = row_of<Y>(a.y, row);
  const Y* gate = a.gate.data != nullptr ? row_of<Y>(a.gate, row) : nullptr;
  X* out = mutable_row_of<X>(a.out, row);
  for (int64_t i = int64_t{threadIdx.x} * kPack; i < shape.width;
       i += int64_t{blockDim.x} * kPack) {
    auto value = load<kPack>(x + i);
    const auto added = load<kPack>(y + i);
    if (gate != nullptr) {
      const auto by = load<kPack>(gate + i);
      for (int j = 0; j < kPack; ++j) {
        value.v[j] += static_cast<X>(widened(by.v[j])) * static_cast<X>(widened(added.v[j]));
      }
    } else {
      for (int j = 0; j < kPack; ++j) {
        value.v[j] += static_cast<X>(widened(added.v[j]));
      }
    }
    store<kPack>(out + i, value);
  }
}

template <typename X, typename Y, int kPack>
__global__ void __launch_bounds__(kThreads) silu_of_sums_kernel(RowShape shape, SumArguments a) {
  int64_t row = 0;
  int64_t i = 0;
  if (!find_pack<kPack>(shape, row, i)) {
    return;
  }
  const auto left = load<kPack>(row_of<X>(a.a, row / a.b_rows) + i);
  const auto right = load<kPack>(row_of<X>(a.b, row % a.b_rows) + i);
  Pack<Y, kPack> out;
  for (int j = 0; j < kPack; ++j) {
    out.v[j] = Narrow<Y>::of(silu(left.v[j] + right.v[j]));
  }
  store<kPack>(static_cast<Y*>(a.out) + row * shape.width + i, out);
}

template <typename X, typename Y, int kPack>
__global__ void __launch_bounds__(kThreads) gated_sums_kernel(RowShape shape, GatedSumArguments a) {
  int64_t row = 0;
  int64_t i = 0;
  if (!find_pack<kPack>(shape, row, i)) {
    return;
  }
  const int64_t place = row * shape.width + i;
  // Values that do not depend on the step are read once for all steps.
  Pack<X, kPack> fixed{};
  for (int n = 0; n < a.residual_count; ++n) {
    const auto residual = load<kPack>(static_cast<const X*>(a.residuals[n]) + place);
    for (int j = 0; j < kPack; ++j) {
      fixed.v[j] += residual.v[j];
    }
  }
  for (int64_t step = 0; step < a.steps; ++step) {
    Pack<X, kPack> sum = fixed;
    for (int n = 0; n < a.gate_count; ++n) {
      const auto gate = load<kPack>(row_of<Y>(a.gates[n], step, row) + i);
      const auto value = load<kPack>(static_cast<const Y*>(a.values[n]) + place);
      for (int j = 0; j < kPack; ++j) {
        sum.v[j] += static_cast<X>(widened(gate.v[j])) * static_cast<X>(widened(value.v[j]));
      }
    }
    store<kPack>(static_cast<X*>(a.out) + step * shape.rows * shape.width + place, sum);
  }
}

/// Threads, in whole warps, for a row of that many packs.
dim3 threads_of_row(int64_t packs, int64_t most) {
  const int64_t warps = blocks_of(packs, kWarp).x;
  return {static_cast<unsigned>(std::min(warps * kWarp, most)), 1, 1};
}

template <typename X, typename Y>
bool aligned_sums(const RowShape& shape, const GatedSumArguments& a) {
  bool all = aligned(a.out, sizeof(X), shape.width, 0);
  for (int n = 0; n < a.residual_count; ++n) {
    all = all && aligned(a.residuals[n], sizeof(X), shape.width, 0);
  }
  for (int n = 0; n < a.gate_count; ++n) {
    all = all && aligned(a.values[n], sizeof(Y), shape.width, 0) && aligned<Y>(a.gates[n]);
  }
  return all;
}

}  // namespace

void norm_rows(const RowShape& shape, const NormArguments& a, Stream stream) {
  with_types(shape.x, shape.product, [&]<typename X, typename Y>(X, Y) {
    const bool of_four = aligned<X>(a.x) && aligned<Y>(a.shift) && aligned<Y>(a.scale) &&
                         aligned(a.weight, sizeof(X), shape.width, 0) &&
                         aligned(a.bias, sizeof(X), 0, 0) && aligned(a.out, sizeof(Y), 0, 0) &&
                         aligned<Y>(a.added) && aligned(a.sum, sizeof(X), 0, 0);
    with_packs(of_four, [&](auto pack) {
      constexpr int kPack = decltype(pack)::value;
      if (shape.rows <= kFewRows && shape.width <= kMostHeld * kMostRowThreads * kPack) {
        launch(norm_of_few_rows_kernel<X, Y, kPack>, blocks_of(shape.rows, 1),
               threads_of_row(shape.width / kPack, kMostRowThreads),
               kMostRowThreads / kWarp * sizeof(X), stream, shape, a);
      } else if (shape.width <= kWarpHeld * kWarp * kPack) {
        launch(norm_kernel<X, Y, kPack>, blocks_of(shape.rows, kThreads / kWarp), {kThreads, 1, 1},
               0, stream, shape, a);
      } else {
        launch(norm_of_long_rows_kernel<X, Y, kPack>, blocks_of(shape.rows, kThreads / kWarp),
               {kThreads, 1, 1}, 0, stream, shape, a);
      }
    });
  });
}

void add_rows(const RowShape& shape, const AddArguments& a, Stream stream) {
  with_types(shape.x, shape.product, [&]<typename X, typename Y>(X, Y) {
    const bool of_four = shape.width % 4 == 0 && aligned<X>(a.x) && aligned<Y>(a.y) &&
                         aligned<Y>(a.gate) && aligned<X>(a.out);
    with_packs(of_four, [&](auto pack) {
      constexpr int kPack = decltype(pack)::value;
      launch(add_kernel<X, Y, kPack>, blocks_of(shape.rows, 1),
             threads_of_row(shape.width / kPack, kMostAddThreads), 0, stream, shape, a);
    });
  });
}

void silu_of_sums(const RowShape& shape, const SumArguments& a, Stream stream) {
  with_types(shape.x, shape.product, [&]<typename X, typename Y>(X, Y) {
    const bool of_four =
        aligned<X>(a.a) && aligned<X>(a.b) && aligned(a.out, sizeof(Y), shape.width, 0);
    with_packs(of_four, [&](auto pack) {
      constexpr int kPack = decltype(pack)::value;
      launch(silu_of_sums_kernel<X, Y, kPack>,
             blocks_of(shape.rows * (shape.width / kPack), kThreads), {kThreads, 1, 1}, 0, stream,
             shape, a);
    });
  });
}

void gated_sums(const RowShape& shape, const GatedSumArguments& a, Stream stream) {
  with_types(shape.x, shape.product, [&]<typename X, typename Y>(X, Y) {
    with_packs(aligned_sums<X, Y>(shape, a), [&](auto pack) {
      constexpr int kPack = decltype(pack)::value;
      launch(gated_sums_kernel<X, Y, kPack>,
             blocks_of(shape.rows * (shape.width / kPack), kThreads), {kThreads, 1, 1}, 0, stream,
             shape, a);
    });
  });
}

}  // namespace lazymar::cuda
