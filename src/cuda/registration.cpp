// Entry point of this room: if linked in, it registers the kernels of all rooms and graphs for
// nn/capture.h.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cuda/device_ops.h"
#include "cuda/graph_capture.h"

namespace lazymar::cuda {
namespace {

using Pool = std::shared_ptr<const at::cuda::MempoolId_t>;

/// The memory pool of all existing graphs. LibTorch does not reuse a pool without graphs, so the
/// next graph then starts a new one.
Pool shared_pool() {
  static std::weak_ptr<const at::cuda::MempoolId_t> used;
  Pool pool = used.lock();
  if (pool == nullptr) {
    pool = std::make_shared<const at::cuda::MempoolId_t>(at::cuda::graph_pool_handle());
    used = pool;
  }
  return pool;
}

/// Work captured as a CUDA graph. All graphs share one pool for temporary memory and one stream for
/// capturing, because they are replayed one after another.
class Graph final : public Capture, private GraphCalls {
 public:
  explicit Graph(const std::function<void()>& work) {
    const c10::cuda::CUDAStream caller = c10::cuda::getCurrentCUDAStream();
    const c10::cuda::CUDAStream side = capture_stream(caller.device_index());
    wait(side, caller);
    try {
      const c10::cuda::CUDAStreamGuard guard(side);
      // Libraries choose algorithms and allocate workspaces now: a capture allows neither.
      work();
      capture_work(*this, work);
    } catch (...) {
      wait(caller, side);  // work queued there uses memory that the caller may free
      throw;
    }
    wait(caller, side);
  }

  void replay() override { graph_->replay(); }

 private:
  void begin() override {
    pool_ = shared_pool();
    graph_.emplace();
    // Other threads continue their own work while this one captures.
    graph_->capture_begin(*pool_, cudaStreamCaptureModeThreadLocal);
  }
  void end() override { graph_->capture_end(); }

  // If capture_begin() or capture_end() of LibTorch 2.11 fails, it leaves the stream and its
  // allocators in the capture.
  void end_stream() override {
    const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    C10_CUDA_CHECK(cudaStreamIsCapturing(stream, &status));
    if (status != cudaStreamCaptureStatusNone) {
      cudaGraph_t captured = nullptr;
      // An invalidated capture is an error here, too; it is ended all the same.
      C10_CUDA_IGNORE_ERROR(cudaStreamEndCapture(stream, &captured));
      if (captured != nullptr) {
        C10_CUDA_CHECK(cudaGraphDestroy(captured));
      }
    }
  }
  void close_pool() override {
    const c10::DeviceIndex device = c10::cuda::current_device();
    c10::cuda::CUDACachingAllocator::endAllocateToPool(device, *pool_);
    c10::cuda::CUDACachingAllocator::releasePool(device, *pool_);
  }
  void close_host_pool() override {
    at::HostAllocator* host = at::getHostAllocator(at::kCUDA);
    host->end_allocate_to_pool(*pool_);
    host->release_pool(*pool_);
  }
  void destroy() override { graph_.reset(); }
  void forget() override {
    pool_.reset();
    C10_CUDA_CLEAR_ERROR();
  }
  void release_memory() override { c10::cuda::CUDACachingAllocator::emptyCache(); }

  static void wait(const c10::cuda::CUDAStream& waiting, const c10::cuda::CUDAStream& for_this) {
    at::cuda::CUDAEvent event;
    event.record(for_this);
    event.block(waiting);
  }

  static c10::cuda::CUDAStream capture_stream(c10::DeviceIndex device) {
    static const c10::cuda::CUDAStream only = c10::cuda::getStreamFromPool(false, device);
    return only;
  }

  Pool pool_;  // outlives the graph, which releases it in LibTorch
  std::optional<at::cuda::CUDAGraph> graph_;
};

std::unique_ptr<Capture> capture_graph(const std::function<void()>& work) {
  return std::make_unique<Graph>(work);
}

std::string device_model(c10::DeviceIndex index) {
  return at::cuda::getDeviceProperties(index)->name;
}

/// 75 for compute capability 7.5.
int64_t compute_capability(c10::DeviceIndex index) {
  const cudaDeviceProp* const properties = at::cuda::getDeviceProperties(index);
  return int64_t{10} * properties->major + properties->minor;
}

/// "CUDA 13.0": the newest version that the installed driver supports.
std::string driver_version() {
  int version = 0;
  C10_CUDA_CHECK(cudaDriverGetVersion(&version));
  return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

void empty_cache() {
  c10::cuda::CUDACachingAllocator::emptyCache();
}

void serve_shapes() {
  static const Kernels shapes = kernels_for(c10::DeviceType::Meta);
  register_kernels(&shapes);
}

const Kernels& kernels() {
  static const Kernels kernels = [] {
    Kernels all = kernels_for(c10::DeviceType::CUDA);
    all.capture = capture_graph;
    all.model = device_model;
    all.capability = compute_capability;
    all.driver = driver_version;
    all.release_memory = empty_cache;
    all.serve_shapes = serve_shapes;
    return all;
  }();
  return kernels;
}

}  // namespace
}  // namespace lazymar::cuda

/// Referenced by the link command, so that the linker keeps this file.
extern "C" const bool lazymar_cuda_is_linked = [] {
  lazymar::cuda::register_kernels(&lazymar::cuda::kernels());
  return true;
}();
