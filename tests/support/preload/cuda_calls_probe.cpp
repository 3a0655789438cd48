// CUDA runtime calls that fail without a device: for cuda_call_counter.cpp.
#include <cuda_runtime_api.h>

int main(int argc, char**) {
  if (argc > 1) {
    return 0;  // a process without calls
  }
  void* memory = nullptr;
  cudaDeviceSynchronize();
  cudaStreamSynchronize(nullptr);
  cudaEventSynchronize(nullptr);
  cudaMalloc(&memory, 256);
  cudaFree(memory);
  cudaHostAlloc(&memory, 256, 0);
  cudaGraphLaunch(nullptr, nullptr);
}
