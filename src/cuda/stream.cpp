// A separate file: programs with emulated kernels replace it.
#include <c10/cuda/CUDAStream.h>

#include "cuda/tensors.h"

namespace lazymar::cuda {

Stream current_stream(const at::Tensor& x) {
  // Shapes alone (DeviceOps::serve_shapes) are not queued.
  return x.is_meta() ? nullptr : c10::cuda::getCurrentCUDAStream(x.device().index()).stream();
}

}  // namespace lazymar::cuda
