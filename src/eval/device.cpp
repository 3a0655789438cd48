#include "lazymar/eval/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdlib>

#include "lazymar/core/error.h"
#include "lazymar/eval/arguments.h"

namespace lazymar {

c10::Device resolve_device(const std::string& name) {
  const auto count = static_cast<int64_t>(
      at::hasCUDA() ? at::globalContext().getAcceleratorHooksInterface(c10::kCUDA).deviceCount()
                    : 0);
  if (name == "cpu" || (name == "auto" && count == 0)) {
    return c10::kCPU;
  }
  int64_t index = 0;
  if (name.starts_with("cuda:")) {
    index = parse_index(name.substr(5));
  } else if (name != "auto" && name != "cuda") {
    index = -1;
  }
  if (index < 0) {
    throw usage_error("--device ", name, ": use auto, cpu, cuda or cuda:N");
  }
  if (index >= count) {
    throw usage_error("--device ", name, ": ",
                      count > 0 ? concat("only ", count, " CUDA devices are visible")
                                : "no CUDA device is visible (or this build has no CUDA: configure "
                                  "with -DLAZYMAR_CUDA=ON); use --device cpu");
  }
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

void refuse_several_processes() {
  for (const char* variable : {"WORLD_SIZE", "OMPI_COMM_WORLD_SIZE"}) {
    const char* text = std::getenv(variable);
    if (text != nullptr && parse_index(text) != 1) {
      throw usage_error(variable, "=", text,
                        ": this version runs as one process; start it without ", "a launcher");
    }
  }
}

Placement resolve_placement(Precision precision, const std::string& device) {
  return {precision == Precision::kFp64 ? c10::kDouble : c10::kFloat, resolve_device(device)};
}

void set_threads(const std::optional<int64_t>& threads) {
  if (threads) {
    at::set_num_threads(static_cast<int>(*threads));
  }
}

void synchronize(c10::Device device) {
  if (!device.is_cpu()) {
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  }
}

}  // namespace lazymar
