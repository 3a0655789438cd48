#include "pipeline/kernel_check.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "files/environment.h"
#include "nn/device_fault.h"
#include "nn/device_ops.h"
#include "nn/flops.h"
#include "pipeline/device.h"
#include "pipeline/kernel_twins.h"

namespace lazymar {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Of tensors that must be equal to the bit: 0, or infinity.
double error_of(const at::Tensor& own, const at::Tensor& twin, bool exact) {
  if (own.sizes() != twin.sizes() || own.scalar_type() != twin.scalar_type()) {
    return kInfinity;
  }
  const at::Tensor expected = twin.to(own.device());
  if (exact) {
    return at::equal(own, expected) ? 0 : kInfinity;
  }
  if (own.numel() == 0) {
    return 0;
  }
  const at::Tensor b = expected.to(c10::kDouble);
  const at::Tensor difference = (own.to(c10::kDouble) - b).abs() / (1 + b.abs());
  const double largest = difference.max().item<double>();
  return std::isnan(largest) ? kInfinity : largest;
}

/// ", on an NVIDIA H200 with driver CUDA 13.0".
std::string where(c10::Device device) {
  const DeviceOps* ops = device_ops(device.type());
  return concat("on ", device_model(device),
                ops != nullptr && ops->driver != nullptr ? concat(", driver ", ops->driver()) : "");
}

/// One line: entry, error, tolerance, card and driver.
std::string problem(const KernelVerdict& verdict, c10::Device device) {
  return concat("the kernel of ", verdict.entry, " fails its check (", verdict.operation, " of ",
                verdict.shape, ": ",
                verdict.trouble.empty()
                    ? concat("error ", verdict.error, ", tolerance ", verdict.tolerance)
                    : verdict.trouble,
                ") ", where(device));
}

/// False, with a line on stderr, if the GPU is older than the kernels.
bool has_capability(c10::Device device) {
  constexpr int64_t kLeast = 80;
  const DeviceOps& ops = *device_ops(device.type());
  const int64_t capability = ops.capability != nullptr ? ops.capability(device.index()) : kLeast;
  if (capability < kLeast) {
    log_warning(concat("no kernels of this build run ", where(device), ": compute capability ",
                       capability / 10, ".", capability % 10,
                       " is below 8.0; computing by plain ATen, which is slower"));
  }
  return capability >= kLeast;
}

/// The entries that failed and were replaced by their twins.
std::set<std::string> replace_failed(const std::vector<KernelVerdict>& checks, KernelChoice choice,
                                     c10::Device device) {
  std::set<std::string> replaced;
  for (const KernelVerdict& verdict : checks) {
    if (verdict.entry.empty() || verdict.passed() || !replaced.insert(verdict.entry).second) {
      continue;
    }
    if (choice == KernelChoice::kOwn) {
      throw Error(ErrorKind::kInternal,
                  concat(problem(verdict, device), "; use --kernels auto or plain"));
    }
    log_warning(concat(problem(verdict, device), "; plain ATen takes its place"));
    use_twin(device.type(), verdict.entry);
  }
  return replaced;
}

}  // namespace

std::vector<KernelVerdict> compare_kernels(const std::vector<KernelCase>& cases) {
  const c10::InferenceMode guard;
  const WorkCount counted = work_count();
  std::vector<KernelVerdict> verdicts;
  for (const KernelCase& one : cases) {
    KernelVerdict verdict{one.operation, one.entry, one.shape, 0, one.tolerance, {}};
    try {
      const std::vector<at::Tensor> own = one.own();
      const std::vector<at::Tensor> twin = one.twin();
      for (size_t i = 0; i < twin.size(); ++i) {
        verdict.error = std::max(verdict.error, error_of(own[i], twin[i], one.tolerance == 0));
      }
    } catch (const std::exception& error) {
      if (is_device_fault(error)) {
        throw;
      }
      verdict.trouble = before_newline(error.what());
    }
    verdicts.push_back(std::move(verdict));
  }
  work_count() = counted;
  return verdicts;
}

KernelChoice parse_kernel_choice(const std::string& text) {
  if (text == "auto") {
    return KernelChoice::kAuto;
  }
  if (text == "own") {
    return KernelChoice::kOwn;
  }
  if (text == "plain" || text == kPlainAfterFault) {
    return KernelChoice::kPlain;
  }
  throw usage_error(kKernelsVariable, "=", text, ": use auto, own or plain");
}

bool restarted_after_device_fault() {
  return text_of(own_environment, kKernelsVariable) == kPlainAfterFault;
}

KernelChoice resolve_kernel_choice(const std::string& option) {
  const std::string said = text_of(own_environment, kKernelsVariable);
  return parse_kernel_choice(option == "auto" && !said.empty() ? said : option);
}

KernelReport settle_kernels(KernelChoice choice, bool check, const Mar& mar, const KlDecoder* vae,
                            int64_t images, c10::Device device) {
  if (!has_own_kernels(device.type())) {
    return {};
  }
  if (choice == KernelChoice::kPlain || !has_capability(device)) {
    for (const std::string& entry : kernel_entries()) {
      use_twin(device.type(), entry);
    }
    return {"plain", {}};
  }
  KernelReport report{"own", {}};
  if (!check) {
    return report;
  }
  const KernelShapes shapes = shapes_of(mar, vae, images);
  std::vector<KernelCase> cases = kernel_cases(shapes, device);
  for (KernelCase& one : head_cases(shapes, mar.head, device)) {
    cases.push_back(std::move(one));
  }
  report.checks = compare_kernels(cases);
  for (const std::string& entry : replace_failed(report.checks, choice, device)) {
    report.kernels += concat(report.kernels == "own" ? " except " : ", ", entry);
  }
  return report;
}

}  // namespace lazymar
