#pragma once
/// What the program that uses the library has set in LibTorch, and what lazymar needs instead.

#include <ATen/core/grad_mode.h>
#include <c10/core/Device.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace lazymar {

/// While it exists: no gradients, no autocast, `device` as this thread's device, and the arithmetic
/// of use_device(). Then all is as before, so that a training loop around it computes as without
/// it. The arithmetic is the process's: it returns when the last of all threads' objects ends.
class HostState {
 public:
  explicit HostState(c10::Device device);
  ~HostState();
  HostState(const HostState&) = delete;
  HostState& operator=(const HostState&) = delete;

 private:
  at::NoGradGuard no_grad_;
  c10::impl::ExcludeDispatchKeyGuard no_autocast_{c10::autocast_dispatch_keyset};
  c10::OptionalDeviceGuard device_;
};

}  // namespace lazymar
