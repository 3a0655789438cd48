#include "pipeline/compute.h"

#include "nn/capture.h"
#include "pipeline/device.h"

namespace lazymar {

Compute start_computing(const ComputeRequest& request) {
  set_threads(request.threads, request.local_size);
  const c10::Device device = resolve_device(request.device, request.local_rank);
  use_device(device);
  enable_capture(request.cuda_graphs);
  return {device, resolve_precision(request.precision, device.is_cpu())};
}

}  // namespace lazymar
