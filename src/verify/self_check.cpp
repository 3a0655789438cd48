#include "verify/self_check.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/network_config.h"
#include "nn/linear.h"
#include "pipeline/compute.h"
#include "pipeline/device.h"
#include "pipeline/kernel_cases.h"
#include "pipeline/kernel_inputs.h"
#include "verify/int8_control.h"

namespace lazymar {
namespace {

/// For products whose operands are rounded. int8: every number is off by up to 1/254 of the largest
/// of its row or output, and so are those of sums in proportion.
double product_tolerance(const Placement& placement, c10::ScalarType rounded) {
  if (placement.precision->formats.of(LayerRole::kMlpIn) == "int8") {
    return 1e-1;
  }
  return rounded == c10::kDouble ? 1e-12 : rounded == c10::kFloat ? 2e-5 : 2e-2;
}

/// Products by the format that the precision has for them, beside products in double.
KernelCase product_case(const KernelShapes& s, Placement placement) {
  KernelInputs in(placement.device);
  const DenseWeights weights{
      in.normal({s.width, s.width}, s.type) / std::sqrt(static_cast<double>(s.width)),
      in.normal({s.width}, s.type)};
  const at::Tensor x = in.normal({s.rows, s.width}, s.type);
  const Linear layer = make_linear(weights, LayerRole::kMlpIn, placement);
  const c10::ScalarType rounded = layer.input_type();
  const auto wide = [=](const at::Tensor& t) { return t.to(rounded).to(c10::kDouble); };
  return {
      "linear",
      "",
      shape_text(x),
      product_tolerance(placement, rounded),
      [=] { return Tensors{layer(x)}; },
      [=] {
        return Tensors{
            at::linear(wide(x), wide(weights.weight), wide(weights.bias)).to(layer.output_type())};
      }};
}

}  // namespace

std::vector<KernelVerdict> self_check(Precision precision, int64_t width, int64_t heads,
                                      c10::Device device) {
  const Placement placement{precision, device};
  KernelInputs in(device);
  KernelShapes s;
  s.images = 2;
  s.rows = 67;  // odd, so that vectorised loops have a rest
  s.width = s.head_width = width;
  s.heads = heads;
  s.head_rows = 67;
  s.channels = 16;
  s.vae_width = 128;
  s.vae_groups = 32;
  s.img_size = 48;
  s.type = precision->activations == NumberType::kFp64 ? c10::kDouble : c10::kFloat;
  const Linear layer = make_linear({in.normal({16, 16}, s.type), in.normal({16}, s.type)},
                                   LayerRole::kHead, placement);
  s.product = layer.input_type();
  std::vector<KernelCase> cases = kernel_cases(s, device);
  cases.push_back(product_case(s, placement));
  return compare_kernels(cases);
}

std::string self_check_table(const std::vector<KernelVerdict>& verdicts) {
  char line[256];
  std::snprintf(line, sizeof line, "%-24s %-24s %10s %10s  %s\n", "operation", "shape", "error",
                "tolerance", "verdict");
  std::string text = line;
  for (const KernelVerdict& v : verdicts) {
    std::snprintf(line, sizeof line, "%-24s %-24s %10.2e %10.0e  %s\n", v.operation.c_str(),
                  v.shape.c_str(), v.error, v.tolerance, v.passed() ? "passed" : "FAILED");
    text += line;
    text += v.trouble.empty() ? "" : "  " + v.trouble + "\n";
  }
  return text;
}

ExitCode self_check(const VerifyOptions& options) {
  const c10::Device device =
      start_computing({.device = options.device, .threads = options.threads}).device;
  std::printf("%s\n", device_model(device).c_str());
  size_t failed = 0;
  size_t all = 0;
  for (const Precision precision : working_precisions(device.is_cpu())) {
    if (precision->name == kInt8Control) {
      continue;  // it is meant to be worse
    }
    for (const char* model : {"mar_base", "mar_large", "mar_huge"}) {
      const Preset* preset = find_preset(model);
      const auto verdicts = self_check(precision, preset->dim, preset->heads, device);
      std::printf("\n%s, the widths of %s:\n%s", std::string(precision->name).c_str(), model,
                  self_check_table(verdicts).c_str());
      all += verdicts.size();
      failed += static_cast<size_t>(std::count_if(
          verdicts.begin(), verdicts.end(), [](const KernelVerdict& v) { return !v.passed(); }));
    }
  }
  std::printf("\n%s: %zu of %zu operations within their tolerance\n",
              failed == 0 ? "PASSED" : "FAILED", all - failed, all);
  return failed == 0 ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace lazymar
