// CUDA runtime calls that fail without a device: for cuda_call_counter.cpp.
#include <cuda_runtime_api.h>

int main() {
  void* memory = nullptr;
  cudaDeviceSynchronize();
  cudaStreamSynchronize(nullptr);
  cudaEventSynchronize(nullptr);
  cudaMalloc(&memory, 256);
  cudaFree(memory);
  cudaHostAlloc(&memory, 256, 0);
  cudaGraphLaunch(nullptr, nullptr);
}
