#pragma once
/// The device of kernel tests: the same sources are built with emulated kernels, on CPU tensors,
/// and with the real ones, for a GPU.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cuda/device_ops.h"
#include "pipeline/device.h"

namespace lazymar::testing {

#if defined(LAZYMAR_EMULATED)
inline constexpr c10::DeviceType kKernelDevice = c10::DeviceType::CPU;
inline bool has_kernel_device() {
  return true;
}
#else
inline constexpr c10::DeviceType kKernelDevice = c10::DeviceType::CUDA;
inline bool has_kernel_device() {
  return at::hasCUDA() &&
         at::globalContext().getAcceleratorHooksInterface(c10::kCUDA).deviceCount() > 0;
}
#endif

/// Tests that need the device: skipped with a message if it is missing.
class KernelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_kernel_device()) {
      GTEST_SKIP() << "SKIPPED: no CUDA device";
    }
    use_device({kKernelDevice, 0});
  }
  const cuda::Kernels ops = cuda::kernels_for(kKernelDevice);
};

/// Registers the kernels while this object exists.
class KernelsInUse {
 public:
  explicit KernelsInUse(const cuda::Kernels& ops) : before_(cuda::register_kernels(&ops)) {}
  ~KernelsInUse() { cuda::register_kernels(before_); }
  KernelsInUse(const KernelsInUse&) = delete;
  KernelsInUse& operator=(const KernelsInUse&) = delete;

 private:
  const cuda::Kernels* before_;
};

/// A tensor of the twin, moved to the kernels' device.
inline at::Tensor there(const at::Tensor& t) {
  return t.defined() ? t.to(kKernelDevice) : t;
}

/// max |a - b| / (1 + |b|) within `tolerance`; NaN must match NaN.
inline ::testing::AssertionResult near(const at::Tensor& computed, const at::Tensor& expected,
                                       double tolerance) {
  if (computed.sizes() != expected.sizes() || computed.scalar_type() != expected.scalar_type()) {
    return ::testing::AssertionFailure()
           << "another shape or type: " << computed.sizes() << " " << computed.scalar_type();
  }
  const at::Tensor a = computed.cpu().to(c10::kDouble);
  const at::Tensor b = expected.to(c10::kDouble);
  if (at::allclose(a, b, tolerance, tolerance, /*equal_nan=*/true)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "off by " << (a - b).abs().max().item<double>() << " in "
                                       << computed.sizes() << " " << computed.scalar_type();
}

/// Types that go together, and the tolerance for their rounding.
struct KernelTypes {
  c10::ScalarType x, product;
  double tolerance;
};
inline constexpr KernelTypes kKernelTypes[] = {{c10::kDouble, c10::kDouble, 1e-12},
                                               {c10::kFloat, c10::kFloat, 5e-6},
                                               {c10::kFloat, c10::kBFloat16, 1e-2},
                                               {c10::kFloat, c10::kHalf, 2e-3}};

}  // namespace lazymar::testing
