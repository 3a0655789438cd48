// Entry point of this room: if linked in, it registers the kernels of all rooms and graphs for
// nn/capture.h.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "cuda/device_ops.h"

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
class Graph final : public Capture {
 public:
  explicit Graph(const std::function<void()>& work) {
    const c10::cuda::CUDAStream caller = c10::cuda::getCurrentCUDAStream();
    const c10::cuda::CUDAStream side = capture_stream(caller.device_index());
    wait(side, caller);
    try {
      const c10::cuda::CUDAStreamGuard guard(side);
      // Libraries choose algorithms and allocate workspaces now: a capture allows neither.
      work();
      capture_with_room(work);
    } catch (...) {
      wait(caller, side);  // work queued there uses memory that the caller may free
      throw;
    }
    wait(caller, side);
  }

  void replay() override { graph_.replay(); }

 private:
  void capture_with_room(const std::function<void()>& work) {
    try {
      capture(work);
    } catch (const c10::OutOfMemoryError&) {
      // The allocator keeps the memory of the run before, and must not free it in a capture.
      graph_.reset();
      pool_.reset();
      c10::cuda::CUDACachingAllocator::emptyCache();
      capture(work);
    }
  }

  void capture(const std::function<void()>& work) {
    pool_ = shared_pool();
    // Other threads continue their own work while this one captures.
    graph_.capture_begin(*pool_, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      abandon();
      throw;
    }
    graph_.capture_end();
  }

  /// Ends a failed capture. If ending fails as well, LibTorch 2.11 leaves its allocators in the
  /// capture.
  void abandon() {
    const auto tried = [](const auto& step) {
      try {
        step();
        return true;
      } catch (const std::exception&) {
        return false;  // the caller gets the error of the capture
      }
    };
    if (tried([&] { graph_.capture_end(); })) {
      return;
    }
    const c10::DeviceIndex device = c10::cuda::current_device();
    tried([&] {
      c10::cuda::CUDACachingAllocator::endAllocateToPool(device, *pool_);
      c10::cuda::CUDACachingAllocator::releasePool(device, *pool_);
    });
    tried([&] {
      at::HostAllocator* host = at::getHostAllocator(at::kCUDA);
      host->end_allocate_to_pool(*pool_);
      host->release_pool(*pool_);
    });
  }

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
  at::cuda::CUDAGraph graph_;
};

std::unique_ptr<Capture> capture_graph(const std::function<void()>& work) {
  return std::make_unique<Graph>(work);
}

std::string device_model(c10::DeviceIndex index) {
  return at::cuda::getDeviceProperties(index)->name;
}

const Kernels& kernels() {
  static const Kernels kernels = [] {
    Kernels all = kernels_for(c10::DeviceType::CUDA);
    all.capture = capture_graph;
    all.model = device_model;
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
