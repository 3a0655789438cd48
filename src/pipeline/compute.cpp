#include "pipeline/compute.h"

#include <ATen/Parallel.h>

#include "core/error.h"
#include "diffusion/head_ops.h"
#include "files/cpu_share.h"
#include "files/environment.h"
#include "nn/capture.h"
#include "pipeline/device.h"

namespace lazymar {

namespace {

CpuShare own_share(int64_t local_size) {
  const CpuLimits limits = read_cpu_limits(own_environment);
  return cpu_share(limits, sharers_by_launcher(limits, local_size));
}

}  // namespace

void set_threads(int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
}

Compute start_computing(const ComputeRequest& request) {
  const CpuShare share =
      request.threads ? CpuShare{*request.threads, "as requested"} : own_share(request.local_size);
  set_threads(share.threads);
  const c10::Device device = resolve_device(request.device, request.local_rank);
  use_device(device);
  enable_capture(request.cuda_graphs);
  enable_head_blocks(request.head_blocks);
  return {device, resolve_precision(request.precision, device.is_cpu()), to_string(share)};
}

}  // namespace lazymar
