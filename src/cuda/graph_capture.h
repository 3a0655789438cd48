#pragma once
/// How a graph is captured, and what happens if any step of it fails. No CUDA here, so that tests
/// inject failures without a GPU.

#include <functional>

namespace lazymar::cuda {

/// The calls behind a graph. Each throws if it fails.
class GraphCalls {
 public:
  virtual ~GraphCalls() = default;
  /// Opens the pools of memory and begins to capture the current stream.
  virtual void begin() = 0;
  /// Ends the capture, closes the pools and instantiates the graph.
  virtual void end() = 0;
  // What undoes a half of either. They throw if there is nothing to undo.
  virtual void end_stream() = 0;
  virtual void close_pool() = 0;
  virtual void close_host_pool() = 0;
  /// Destroys what was instantiated, if anything was.
  virtual void destroy() = 0;
  /// Forgets an error that the device still reports, and takes a fresh pool next time.
  virtual void forget() = 0;
  /// Returns reserved memory to the device.
  virtual void release_memory() = 0;
};

/// Captures `work`. If memory runs out, it releases what the run before has reserved and tries once
/// more. Whatever fails, the stream, the pools and the graph are as before. Throws
/// c10::OutOfMemoryError if there is no memory either time, the error itself after a fault of the
/// device (nn/device_fault.h), CaptureFailed for everything else.
void capture_work(GraphCalls& calls, const std::function<void()>& work);

}  // namespace lazymar::cuda
