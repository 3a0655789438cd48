#pragma once
/// What kernel files need from CUDA C++: types and launching. Compiled by nvcc, or by a C++
/// compiler against the tests' emulation.

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "cuda/kernels.h"
#include "nn/launch_count.h"

#if defined(__CUDACC__)
#include <cooperative_groups.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#else
#include "support/cuda_emulator.h"
#endif

namespace lazymar::cuda {

inline constexpr int kWarp = 32;

#if defined(__CUDACC__)
/// Throws std::runtime_error if `status` is an error.
inline void check_launch(cudaError_t status) {
  if (status != cudaSuccess) {
    throw std::runtime_error(std::string("CUDA: a kernel was not started: ") +
                             cudaGetErrorString(status));
  }
}

template <typename... Parameters>
void allow_shared_memory(void (*kernel)(Parameters...), size_t bytes) {
  constexpr size_t kWithoutAsking = 48 * 1024;
  if (bytes > kWithoutAsking) {
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(bytes));
  }
}
#endif

/// Launches `kernel` on `stream`, or only counts that (nn/launch_count.h); throws
/// std::runtime_error if that fails.
template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes,
            [[maybe_unused]] Stream stream, const Arguments&... arguments) {
  if (is_only_counted()) {
    return;
  }
#if defined(__CUDACC__)
  allow_shared_memory(kernel, shared_bytes);
  kernel<<<grid, block, shared_bytes, stream>>>(arguments...);
  check_launch(cudaGetLastError());
#else
  emulator::machine().run(grid, block, shared_bytes, [&] { kernel(arguments...); });
#endif
}

/// True if the device holds all thread blocks of such a launch at once.
template <typename... Parameters>
bool fit_together([[maybe_unused]] void (*kernel)(Parameters...), [[maybe_unused]] dim3 grid,
                  [[maybe_unused]] dim3 block, [[maybe_unused]] size_t shared_bytes) {
#if defined(__CUDACC__)
  if (!launch_count().instead) {
    allow_shared_memory(kernel, shared_bytes);
    int device = 0;
    int processors = 0;
    int at_once = 0;
    check_launch(cudaGetDevice(&device));
    check_launch(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
    check_launch(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
        &at_once, kernel, static_cast<int>(block.x), shared_bytes));
    return int64_t{at_once} * processors >= grid.x;
  }
#endif
  return true;
}

/// launch() of a kernel that calls for_each_phase() with so many phases. The device must hold all
/// of its thread blocks at once.
template <typename... Parameters, typename... Arguments>
void launch_together(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes,
                     [[maybe_unused]] int phases, [[maybe_unused]] Stream stream,
                     const Arguments&... arguments) {
  if (is_only_counted()) {
    return;
  }
#if defined(__CUDACC__)
  allow_shared_memory(kernel, shared_bytes);
  cudaLaunchAttribute cooperative;
  cooperative.id = cudaLaunchAttributeCooperative;
  cooperative.val.cooperative = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  config.attrs = &cooperative;
  config.numAttrs = 1;
  check_launch(cudaLaunchKernelEx(&config, kernel, arguments...));
#else
  emulator::machine().run_phases(grid, block, shared_bytes, phases, [&] { kernel(arguments...); });
#endif
}

/// Calls f(phase) for every phase. Between two of them, all thread blocks of the launch wait for
/// each other. Shared memory and registers keep nothing from one phase to the next, so that the
/// emulation can run them as launches.
template <typename F>
__device__ inline void for_each_phase(int phases, const F& f) {
#if defined(__CUDACC__)
  for (int phase = 0; phase < phases; ++phase) {
    if (phase > 0) {
      cooperative_groups::this_grid().sync();
    }
    f(phase);
  }
#else
  (void)phases;
  emulator::machine().for_each_phase(f);
#endif
}

/// The number of blocks of `size` that hold `count`, at least one.
inline dim3 blocks_of(int64_t count, int64_t size) {
  const int64_t blocks = (count + size - 1) / size;
  return {static_cast<unsigned>(blocks > 0 ? blocks : 1), 1, 1};
}

/// Dynamic shared memory of the running block.
template <typename T>
__device__ inline T* shared_memory() {
#if defined(__CUDACC__)
  extern __shared__ double memory[];
  return reinterpret_cast<T*>(memory);
#else
  return reinterpret_cast<T*>(emulator::machine().shared());
#endif
}

// --- Numbers ---

__device__ inline float widened(float x) {
  return x;
}
__device__ inline double widened(double x) {
  return x;
}
__device__ inline float widened(__nv_bfloat16 x) {
  return __bfloat162float(x);
}
__device__ inline float widened(__half x) {
  return __half2float(x);
}

template <typename T>
struct Narrow {
  template <typename X>
  __device__ static T of(X x) {
    return static_cast<T>(x);
  }
};
template <>
struct Narrow<__nv_bfloat16> {
  __device__ static __nv_bfloat16 of(float x) { return __float2bfloat16_rn(x); }
};
template <>
struct Narrow<__half> {
  __device__ static __half of(float x) { return __float2half_rn(x); }
};

__device__ inline float exponential(float x) {
  return expf(x);
}
__device__ inline double exponential(double x) {
  return exp(x);
}
__device__ inline float root(float x) {
  return sqrtf(x);
}
__device__ inline double root(double x) {
  return sqrt(x);
}
template <typename X>
__device__ inline X silu(X x) {
  return x / (X{1} + exponential(-x));
}

/// kPack elements that one access moves.
template <typename T, int kPack>
struct alignas(sizeof(T) * kPack) Pack {
  T v[kPack];
};
template <int kPack, typename T>
__device__ inline Pack<T, kPack> load(const T* from) {
  return *reinterpret_cast<const Pack<T, kPack>*>(from);
}
template <int kPack, typename T>
__device__ inline void store(T* to, const Pack<T, kPack>& pack) {
  *reinterpret_cast<Pack<T, kPack>*>(to) = pack;
}

/// The sum over a warp's lanes, in every lane; all of them must call it.
template <typename X>
__device__ inline X warp_sum(X value) {
  for (int bits = kWarp / 2; bits > 0; bits /= 2) {
    value += __shfl_xor_sync(0xFFFFFFFFU, value, bits);
  }
  return value;
}

/// The sum over a block's threads, in every thread; all of them must call it. `scratch`: shared
/// memory of one value per warp.
template <typename X>
__device__ inline X block_sum(X value, X* scratch) {
  value = warp_sum(value);
  const unsigned warps = blockDim.x / kWarp;
  if (threadIdx.x % kWarp == 0) {
    scratch[threadIdx.x / kWarp] = value;
  }
  __syncthreads();
  X total = 0;
  for (unsigned warp = 0; warp < warps; ++warp) {
    total += scratch[warp];
  }
  __syncthreads();  // the scratch may be used again
  return total;
}

// --- From a tensor's type to a kernel's ---

/// Calls f with a value of x's type and one of the product type's.
template <typename F>
void with_types(Element x, Element product, const F& f) {
  if (x == Element::kDouble && product == Element::kDouble) {
    f(double{}, double{});
  } else if (x == Element::kFloat && product == Element::kFloat) {
    f(float{}, float{});
  } else if (x == Element::kFloat && product == Element::kBf16) {
    f(float{}, __nv_bfloat16{});
  } else if (x == Element::kFloat && product == Element::kHalf) {
    f(float{}, __half{});
  } else {
    throw std::runtime_error("CUDA: no kernel for these types");
  }
}

/// True if rows of `element_size` and these offsets can be moved four elements at a time.
inline bool aligned(const void* data, int64_t element_size, int64_t stride, int64_t outer_stride) {
  constexpr int64_t kPack = 4;
  return reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(kPack * element_size) == 0 &&
         stride % kPack == 0 && outer_stride % kPack == 0;
}

}  // namespace lazymar::cuda
