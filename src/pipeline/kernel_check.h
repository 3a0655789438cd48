#pragma once
/// Whether a device's own code is right on this machine: every operation is compared with its twin
/// in plain ATen before the first image.

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/kernel_cases.h"

namespace lazymar {

/// One compared operation.
struct KernelVerdict {
  std::string operation, entry, shape;
  double error = 0;      ///< max |own - twin| / (1 + |twin|); infinite if a value is NaN
  double tolerance = 0;  ///< 0: every bit must be equal
  std::string trouble;   ///< what was thrown; empty if nothing was
  bool passed() const { return trouble.empty() && error <= tolerance; }
};

/// Runs each case. Throws only what ends the process: a fault of the device.
std::vector<KernelVerdict> compare_kernels(const std::vector<KernelCase>& cases);

/// --kernels: with which code a GPU computes.
enum class KernelChoice {
  kAuto,   ///< its own kernels, except those that fail the check
  kOwn,    ///< its own kernels; a failed check is an error
  kPlain,  ///< plain ATen
};

/// "auto", "own" or "plain"; throws Error (usage).
KernelChoice parse_kernel_choice(const std::string& text);

/// The environment variable that says it instead of --kernels auto. kPlainAfterFault is what the
/// supervisor says to a worker that it restarts after a fault of the device.
inline constexpr const char* kKernelsVariable = "LAZYMAR_KERNELS";
inline constexpr const char* kPlainAfterFault = "plain-after-fault";
/// True if the variable says so.
bool restarted_after_device_fault();

/// The choice with the variable taken into account.
KernelChoice resolve_kernel_choice(const std::string& option);

/// What was decided for this process.
struct KernelReport {
  /// "own", "plain", or "own except norm, add"; empty if the device has no kernels.
  std::string kernels;
  std::vector<KernelVerdict> checks;  ///< empty if nothing was checked
};

/// Decides which code computes on `device`, and says on stderr what is replaced and why. GPUs below
/// compute capability 8.0 have no kernels. `images`: of a batch, both halves counted. `check` false
/// (--device_check off) believes the kernels. Throws Error (internal) if kOwn fails.
KernelReport settle_kernels(KernelChoice choice, bool check, const Mar& mar, const KlDecoder* vae,
                            int64_t images, c10::Device device);

}  // namespace lazymar
