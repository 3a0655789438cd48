#include "cuda/graph_capture.h"

#include <c10/util/Exception.h>

#include <exception>

#include "nn/capture.h"
#include "nn/device_fault.h"

namespace lazymar::cuda {
namespace {

/// A step of unwinding: the caller gets the error of the capture, not this one's.
template <typename Step>
void attempt(const Step& step) {
  try {
    step();
  } catch (const std::exception&) {  // there was nothing to undo
  }
}

void unwind(GraphCalls& calls) {
  attempt([&] { calls.end_stream(); });
  attempt([&] { calls.close_pool(); });
  attempt([&] { calls.close_host_pool(); });
  attempt([&] { calls.destroy(); });
  attempt([&] { calls.forget(); });
}

void capture_once(GraphCalls& calls, const std::function<void()>& work) {
  try {
    calls.begin();
    work();
    calls.end();
  } catch (...) {
    unwind(calls);
    throw;
  }
}

}  // namespace

void capture_work(GraphCalls& calls, const std::function<void()>& work) {
  try {
    try {
      capture_once(calls, work);
    } catch (const c10::OutOfMemoryError&) {
      // The allocator keeps the memory of the run before, and must not free it in a capture.
      calls.release_memory();
      capture_once(calls, work);
    }
  } catch (const std::exception& error) {
    if (is_device_out_of_memory(error) || is_device_fault(error)) {
      throw;
    }
    throw CaptureFailed(error.what());
  }
}

}  // namespace lazymar::cuda
