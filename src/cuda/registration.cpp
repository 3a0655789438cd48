// The room's door: linked in, it puts the kernels behind nn/ops.h and graphs behind nn/recording.h.
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <exception>
#include <memory>
#include <utility>

#include "lazymar/cuda/device_ops.h"
#include "tensors.h"

namespace lazymar::cuda {

Stream current_stream(const at::Tensor& x) {
  return c10::cuda::getCurrentCUDAStream(x.device().index()).stream();
}

namespace {

/// Work captured as a CUDA graph. All graphs of a device share one pool of memory for what is
/// temporary, and one stream to be captured on: they are replayed one after another.
class Graph final : public Recording {
 public:
  explicit Graph(const std::function<void()>& work) {
    const c10::cuda::CUDAStream caller = c10::cuda::getCurrentCUDAStream();
    const c10::cuda::CUDAStream side = capture_stream(caller.device_index());
    wait(side, caller);
    {
      const c10::cuda::CUDAStreamGuard guard(side);
      // Libraries choose algorithms and take their workspaces now: neither is allowed in a capture.
      work();
      try {
        capture(work);
      } catch (const c10::OutOfMemoryError&) {
        // The allocator keeps what the run before took, and may not give it back in a capture.
        c10::cuda::CUDACachingAllocator::emptyCache();
        graph_.reset();
        capture(work);
      }
    }
    wait(caller, side);
  }

  void replay() override { graph_.replay(); }

 private:
  void capture(const std::function<void()>& work) {
    // Other threads go on with their own work while this one captures.
    graph_.capture_begin(pool(), cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      end_quietly();
      throw;
    }
    graph_.capture_end();
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

  static at::cuda::MempoolId_t pool() {
    static const at::cuda::MempoolId_t only = at::cuda::graph_pool_handle();
    return only;
  }

  void end_quietly() {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
      // What went wrong in the capture is what the caller is told.
    }
  }

  at::cuda::CUDAGraph graph_;
};

std::unique_ptr<Recording> record_graph(const std::function<void()>& work) {
  return std::make_unique<Graph>(work);
}

const DeviceOps& table() {
  static const DeviceOps ops = [] {
    DeviceOps all = kernel_ops(c10::DeviceType::CUDA);
    all.record = record_graph;
    return all;
  }();
  return ops;
}

}  // namespace
}  // namespace lazymar::cuda

/// Named by the link command, which thereby takes this file out of its library.
extern "C" const bool lazymar_cuda_is_linked = [] {
  lazymar::register_device_ops(&lazymar::cuda::table());
  return true;
}();
