#include "nn/device_fault.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace lazymar {

bool is_device_fault(const std::exception& error) {
  // As cudaGetErrorString() says them. LibTorch has no type for them.
  constexpr std::array<std::string_view, 9> kFaults = {
      "an illegal memory access was encountered",
      "unspecified launch failure",
      "misaligned address",
      "an illegal instruction was encountered",
      "invalid program counter",
      "hardware stack error",
      "operation not supported on global/shared address space",
      "device-side assert triggered",
      "uncorrectable ECC error encountered"};
  const std::string_view said = error.what();
  return said.find("CUDA") != std::string_view::npos &&
         std::any_of(kFaults.begin(), kFaults.end(), [&](std::string_view fault) {
           return said.find(fault) != std::string_view::npos;
         });
}

}  // namespace lazymar
