// Preloaded into a program, this counts its CUDA runtime calls by their cost for the host. At the
// program's end it writes the counts to the file LAZYMAR_CUDA_CALLS, which scripts/lab/gpu_calls.py
// reads; a process without calls, such as a supervisor, writes nothing. It does not see calls of
// libraries to the driver or to their own runtime.
#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace {

/// Calls of one kind.
struct Kind {
  const char* name;
  std::atomic<long> count{0};
};

Kind waits{"waits"};              ///< for the device
Kind allocations{"allocations"};  ///< on the device, which may wait for it
Kind pinned{"pinned"};            ///< allocations of pinned memory
Kind kernels{"kernels"};          ///< launched, or captured into a graph
Kind graphs{"graphs"};            ///< launched

struct AtExit {
  AtExit() = default;
  AtExit(const AtExit&) = delete;
  AtExit& operator=(const AtExit&) = delete;
  ~AtExit() {
    long calls = 0;
    for (const Kind* kind : {&waits, &allocations, &pinned, &kernels, &graphs}) {
      calls += kind->count.load();
    }
    const char* path = calls > 0 ? std::getenv("LAZYMAR_CUDA_CALLS") : nullptr;
    std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "w");
    if (file == nullptr) {
      return;
    }
    const char* separator = "{";
    for (const Kind* kind : {&waits, &allocations, &pinned, &kernels, &graphs}) {
      std::fprintf(file, "%s\"%s\": %ld", separator, kind->name, kind->count.load());
      separator = ", ";
    }
    std::fputs("}\n", file);
    std::fclose(file);
  }
} at_exit;

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// The runtime's function of that name: counted, then called. The last one is what compiled launches
// call; no public header declares it.
extern "C" cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, size_t, cudaStream_t);

#define LAZYMAR_COUNTED(kind, name, parameters, arguments)     \
  extern "C" cudaError_t name parameters {                     \
    static const auto function = real<decltype(&name)>(#name); \
    ++kind.count;                                              \
    return function arguments;                                 \
  }

LAZYMAR_COUNTED(waits, cudaDeviceSynchronize, (), ())
LAZYMAR_COUNTED(waits, cudaStreamSynchronize, (cudaStream_t stream), (stream))
LAZYMAR_COUNTED(waits, cudaEventSynchronize, (cudaEvent_t event), (event))
LAZYMAR_COUNTED(waits, cudaMemcpy, (void* to, const void* from, size_t bytes, cudaMemcpyKind kind),
                (to, from, bytes, kind))
LAZYMAR_COUNTED(allocations, cudaMalloc, (void** memory, size_t bytes), (memory, bytes))
LAZYMAR_COUNTED(allocations, cudaFree, (void* memory), (memory))
LAZYMAR_COUNTED(pinned, cudaHostAlloc, (void** memory, size_t bytes, unsigned flags),
                (memory, bytes, flags))
LAZYMAR_COUNTED(pinned, cudaFreeHost, (void* memory), (memory))
LAZYMAR_COUNTED(kernels, cudaLaunchKernelExC,
                (const cudaLaunchConfig_t* config, const void* kernel, void** arguments),
                (config, kernel, arguments))
LAZYMAR_COUNTED(kernels, __cudaLaunchKernel,
                (cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, size_t shared,
                 cudaStream_t stream),
                (kernel, grid, block, arguments, shared, stream))
LAZYMAR_COUNTED(graphs, cudaGraphLaunch, (cudaGraphExec_t graph, cudaStream_t stream),
                (graph, stream))
