// The MLP of the head's blocks for a few rows, in two launches, or of several blocks in one. Its
// products cost little more than reading their weights, so separate launches of the surrounding
// operations would dominate.
#include "cuda/norm.h"
#include "cuda/tensor_cores.h"

namespace lazymar::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocksAtOnce = 2;  ///< per multiprocessor: 192 blocks fit at once on an H100
constexpr int kWarps = kThreads / kWarp;
constexpr int kTileRows = 16;
constexpr int kTileOutputs = 8;
constexpr int kChunk = 32;  ///< inputs that a warp multiplies at a time
constexpr int kMostChunks = 6;
constexpr int64_t kMostWidth = int64_t{kChunk} * kMostChunks * kWarps;
constexpr int kPack = 4;
constexpr int kHeld = kMostWidth / (kWarp * kPack);  ///< packs of a lane that norms a row
// Between rows in shared memory, so that the lanes of a load meet different banks.
constexpr int64_t kGap = 32;

using Words = Pack<uint32_t, 4>;

template <typename Y>
__device__ inline Words words_at(const Y* at) {
  return load<4>(reinterpret_cast<const uint32_t*>(at));
}

/// The block's kTileOutputs columns of rows * weight^T. The warps divide the inputs into chunks;
/// within a chunk, a lane takes eight contiguous inputs of both factors, because the order of a
/// sum's terms does not matter.
template <typename Y>
class TileProduct {
 public:
  /// weight [width, width]. Starts reading it.
  __device__ TileProduct(const void* weight, int64_t width) : width_(width) {
    const int64_t output = int64_t{blockIdx.x} * kTileOutputs + group();
#pragma unroll
    for (int k = 0; k < kMostChunks; ++k) {
      if (inputs(k) < width) {
        weights_[k] = words_at(static_cast<const Y*>(weight) + output * width + inputs(k));
      }
    }
  }

  /// x: `rows` rows of the width, `stride` elements apart.
  __device__ void multiply(const Y* x, int64_t stride, int64_t rows) {
    constexpr Words kNone{};
#pragma unroll
    for (int k = 0; k < kMostChunks; ++k) {
      if (inputs(k) < width_) {
        const int row = group();
        const Words upper = row < rows ? words_at(x + row * stride + inputs(k)) : kNone;
        const Words lower = row + kTileRows / 2 < rows
                                ? words_at(x + (row + kTileRows / 2) * stride + inputs(k))
                                : kNone;
        for (int half = 0; half < 4; half += 2) {
          multiply_tile<Y>(sums_,
                           {upper.v[half], lower.v[half], upper.v[half + 1], lower.v[half + 1]},
                           {weights_[k].v[half], weights_[k].v[half + 1]});
        }
      }
    }
  }

  /// Calls f(row, output, sum). partial: shared memory of kWarps * kTileRows * kTileOutputs values.
  template <typename F>
  __device__ void finish(float* partial, int64_t rows, const F& f) const {
    constexpr int kTile = kTileRows * kTileOutputs;
    float* mine = partial + threadIdx.x / kWarp * kTile + group() * kTileOutputs + 2 * member();
    for (int i = 0; i < 4; ++i) {
      mine[i / 2 * (kTile / 2) + i % 2] = sums_[i];
    }
    __syncthreads();
    const int64_t count = rows * kTileOutputs;
    for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) {
      float sum = 0;
      for (int warp = 0; warp < kWarps; ++warp) {
        sum += partial[warp * kTile + i];
      }
      f(int64_t{i / kTileOutputs}, int64_t{blockIdx.x} * kTileOutputs + i % kTileOutputs, sum);
    }
  }

 private:
  __device__ static int group() {
    return static_cast<int>(threadIdx.x) % kWarp / 4;
  }
  __device__ static int member() {
    return static_cast<int>(threadIdx.x) % 4;
  }
  /// The first of the lane's inputs in the warp's chunk k.
  __device__ static int64_t inputs(int k) {
    return int64_t{static_cast<int>(threadIdx.x) / kWarp + k * kWarps} * kChunk + member() * 8;
  }

  int64_t width_;
  Words weights_[kMostChunks];
  float sums_[4] = {};
};

/// hidden = silu(fc1(modulated norm of h)). Every block norms all rows.
template <typename Y>
__device__ inline void compute_hidden(const HeadMlpArguments& a) {
  Y* normed = shared_memory<Y>();
  const int64_t stride = a.width + kGap;
  TileProduct<Y> product(a.fc1_weight, a.width);
  for (int64_t row = threadIdx.x / kWarp; row < a.rows; row += kWarps) {
    norm_held<kHeld>(NormSource<float, Y, kPack>(a.norm, row, a.width),
                     NormedRow<float, Y, kPack>(a.norm, row, normed + row * stride), a.width,
                     a.norm.eps, threadIdx.x % kWarp, kWarp,
                     [](float value) { return warp_sum(value); });
  }
  __syncthreads();
  product.multiply(normed, stride, a.rows);
  auto* partial = reinterpret_cast<float*>(normed + kTileRows * stride);
  product.finish(partial, a.rows, [&](int64_t row, int64_t output, float sum) {
    const Y y = Narrow<Y>::of(sum + widened(static_cast<const Y*>(a.fc1_bias)[output]));
    static_cast<Y*>(a.hidden)[row * a.width + output] = Narrow<Y>::of(silu(widened(y)));
  });
}

/// mlp = fc2(hidden), out = h + gate * mlp.
template <typename Y>
__device__ inline void compute_mlp(const HeadMlpArguments& a) {
  TileProduct<Y> product(a.fc2_weight, a.width);
  product.multiply(static_cast<const Y*>(a.hidden), a.width, a.rows);
  product.finish(shared_memory<float>(), a.rows, [&](int64_t row, int64_t output, float sum) {
    const Y y = Narrow<Y>::of(sum + widened(static_cast<const Y*>(a.fc2_bias)[output]));
    static_cast<Y*>(a.mlp)[row * a.width + output] = y;
    static_cast<float*>(a.out)[row * a.width + output] =
        row_of<float>(a.norm.x, row)[output] + widened(row_of<Y>(a.gate, row)[output]) * widened(y);
  });
}

template <typename Y>
__global__ void __launch_bounds__(kThreads, kBlocksAtOnce) hidden_kernel(HeadMlpArguments a) {
  compute_hidden<Y>(a);
}

template <typename Y>
__global__ void __launch_bounds__(kThreads) mlp_kernel(HeadMlpArguments a) {
  compute_mlp<Y>(a);
}

/// Two phases for each block of the head. In the grid of both, a thread block has the same outputs
/// of all products.
template <typename Y>
__global__ void __launch_bounds__(kThreads, kBlocksAtOnce)
    blocks_kernel(const __grid_constant__ HeadBlocksArguments a) {
  for_each_phase(2 * a.count, [&](int phase) {
    const HeadMlpArguments& block = a.blocks[phase / 2];
    if (phase % 2 == 0) {
      compute_hidden<Y>(block);
    } else {
      compute_mlp<Y>(block);
    }
  });
}

/// Shared memory: the sums of every warp, and normed rows.
constexpr size_t kPartial = sizeof(float) * kWarps * kTileRows * kTileOutputs;
template <typename Y>
size_t shared_bytes(int64_t width) {
  return static_cast<size_t>(kTileRows * (width + kGap)) * sizeof(Y) + kPartial;
}

/// Calls f with a value of the product type, if there are kernels for it.
template <typename F>
void with_product(Element product, const F& f) {
  with_types(Element::kFloat, product, [&]<typename X, typename Y>(X, Y y) {
    if constexpr (sizeof(Y) == 2) {
      f(y);
    }
  });
}

}  // namespace

bool has_head_mlp(Element x, Element product, int64_t rows, int64_t width) {
  return x == Element::kFloat && (product == Element::kBf16 || product == Element::kHalf) &&
         rows >= 1 && rows <= kTileRows && width % kChunk == 0 && width <= kMostWidth;
}

void head_mlp(Element product, const HeadMlpArguments& a, Stream stream) {
  with_product(product, [&]<typename Y>(Y) {
    const dim3 grid = blocks_of(a.width, kTileOutputs);
    launch(hidden_kernel<Y>, grid, {kThreads, 1, 1}, shared_bytes<Y>(a.width), stream, a);
    launch(mlp_kernel<Y>, grid, {kThreads, 1, 1}, kPartial, stream, a);
  });
}

bool has_head_blocks(Element product, int64_t rows, int64_t width, int64_t count) {
  bool fits =
      count <= HeadBlocksArguments::kMost && has_head_mlp(Element::kFloat, product, rows, width);
  if (fits) {
    with_product(product, [&]<typename Y>(Y) {
      fits = fit_together(blocks_kernel<Y>, blocks_of(width, kTileOutputs), {kThreads, 1, 1},
                          shared_bytes<Y>(width));
    });
  }
  return fits;
}

void head_blocks(Element product, const HeadBlocksArguments& a, Stream stream) {
  with_product(product, [&]<typename Y>(Y) {
    const int64_t width = a.blocks[0].width;
    launch_together(blocks_kernel<Y>, blocks_of(width, kTileOutputs), {kThreads, 1, 1},
                    shared_bytes<Y>(width), 2 * a.count, stream, a);
  });
}

}  // namespace lazymar::cuda
