#include "verify/verify.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>

#include "cache/policies.h"
#include "core/error.h"
#include "core/exit_code.h"
#include "core/text.h"
#include "files/writable_check.h"
#include "formats/safetensors.h"
#include "mar/sampler.h"
#include "nn/capture.h"
#include "pipeline/compute.h"
#include "pipeline/fastest_precision.h"
#include "pipeline/kernel_check.h"
#include "pipeline/model_files.h"
#include "pipeline/network_reader.h"
#include "verify/self_check.h"
#include "weights/network_names.h"

namespace lazymar {
namespace {

/// Keeps every step's z and sampled tokens.
class Recorder final : public SampleObserver {
 public:
  std::map<std::string, at::Tensor> tensors;

  void conditioned(const DecodeStep& step, const at::Tensor& z) override {
    tensors["z." + std::to_string(step.index)] = z.cpu().contiguous();
  }
  void sampled(const DecodeStep& step, const at::Tensor& tokens) override {
    tensors["sampled." + std::to_string(step.index)] = tokens.cpu().contiguous();
  }
};

bool is_output(const std::string& name) {
  return name.starts_with("z.") || name.starts_with("sampled.") || name == "latents" ||
         name == "image";
}

Difference difference(const std::string& name, const at::Tensor& computed,
                      const at::Tensor& recorded) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!computed.defined() || computed.sizes() != recorded.sizes()) {
    return {name, kInfinity, kInfinity};
  }
  if (recorded.numel() == 0) {
    return {name, 0.0, 0.0};
  }
  const at::Tensor expected = recorded.to(c10::kDouble);
  const at::Tensor error = computed.to(c10::kDouble) - expected;
  const double nmse = (error.square().mean() / expected.square().mean()).item<double>();
  // A NaN must not hide in a maximum.
  return {name, error.abs().max().item<double>(), std::isfinite(nmse) ? nmse : kInfinity};
}

void dump(const std::filesystem::path& path, const Trace& trace,
          const std::map<std::string, at::Tensor>& computed) {
  std::map<std::string, at::Tensor> tensors = trace.tensors;
  for (const auto& [name, tensor] : computed) {
    tensors[name] = tensor.to(c10::kFloat).contiguous();
  }
  WeightContent content;
  content.metadata["config"] = trace.config_json;
  for (const auto& [name, tensor] : tensors) {
    content.tensors[name] = view_of_tensor(tensor);
  }
  write_safetensors(path, content);
}

ExitCode report(const std::vector<Difference>& differences, double tolerance) {
  std::printf("%-16s %12s %12s\n", "tensor", "max abs", "NMSE");
  size_t failed = 0;
  for (const Difference& d : differences) {
    const bool over = !(d.nmse <= tolerance);
    failed += over ? 1 : 0;
    std::printf("%-16s %12.3e %12.3e%s\n", visible(d.name).c_str(), d.max_abs, d.nmse,
                over ? "  above the tolerance" : "");
  }
  std::printf("%s: %zu of %zu tensors within NMSE %.0e\n", failed == 0 ? "PASSED" : "FAILED",
              differences.size() - failed, differences.size(), tolerance);
  return failed == 0 ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

DecodingMethod released_method(const Trace& trace) {
  if (trace.method) {
    return *trace.method;
  }
  LazyOptions options;
  options.retain = RetainKind::kPublished;
  return method_of(trace.sampling, trace.lazy_mar ? std::optional(options) : std::nullopt);
}

std::map<std::string, at::Tensor> replay(const Trace& trace, const Mar& mar, const KlDecoder* vae,
                                         const DecodingMethod& method) {
  if (trace.orders().size(1) != mar.config.sequence_length ||
      trace.labels()
          .lt(0)
          .logical_or(trace.labels().ge(mar.config.class_count))
          .any()
          .item<bool>()) {
    throw usage_error("the trace's orders or labels do not match the weights");
  }
  RecordedNoise noise(trace);
  Recorder recorder;
  const DecodingPlan plan = make_plan(mar.config, method);
  const auto runner = policy_of(plan).make_runner(mar.config, plan);
  const auto head_runner = policy_of(plan).make_head_runner(plan);
  Sampler sampler(mar, plan);
  const auto sample = [&] {
    return sampler.sample(*runner, *head_runner, trace.labels(), noise, recorder);
  };
  at::Tensor tokens = sample();
  if (can_capture(tokens.device().type())) {
    tokens = sample();  // the first batch was captured; its replay must be exact
  }
  const at::Tensor latents = unpatchify(tokens, trace.patch_size);
  recorder.tensors["latents"] = latents.cpu();
  if (vae != nullptr) {
    recorder.tensors["image"] = vae->decode(latents).cpu();
  }
  return std::move(recorder.tensors);
}

std::vector<Difference> compare(const Trace& trace,
                                const std::map<std::string, at::Tensor>& computed) {
  std::vector<Difference> differences;
  for (const auto& [name, recorded] : trace.tensors) {
    const bool image_without_vae = name == "image" && !computed.contains("image");
    if (!is_output(name) || image_without_vae) {
      continue;
    }
    const auto found = computed.find(name);
    differences.push_back(
        difference(name, found == computed.end() ? at::Tensor() : found->second, recorded));
  }
  std::sort(differences.begin(), differences.end(),
            [](const Difference& a, const Difference& b) { return a.nmse > b.nmse; });
  return differences;
}

ExitCode verify(const VerifyOptions& options) {
  if (options.self_check) {
    return self_check(options);
  }
  Compute compute = start_computing({options.device, options.precision, options.cuda_graphs,
                                     options.head_blocks, options.threads});
  if (options.dump) {
    check_output_file(*options.dump, "--dump");
  }
  const Trace trace = load_trace(options.trace);
  const TraceWeights files =
      options.weights
          ? TraceWeights{*options.weights, options.weights->parent_path() / "vae.safetensors"}
          : find_trace_weights(options.trace);
  const auto open = [](const std::filesystem::path& path, std::string_view network) {
    return std::make_shared<const WeightFile>(path, WeightFileOptions{.networks = {network}});
  };
  const auto mar_file = open(files.mar, kMarTensor);
  const MarConfig config = read_mar_config(*mar_file, nullptr, trace.encoder_heads);
  if (options.precision.is_auto()) {
    compute.precision = automatic_precision(config, compute.device);
  }
  const Placement placement = compute.placement();
  FileWeights mar_weights(mar_file, placement);
  const Mar mar = load_mar_file(mar_weights, config);
  settle_kernels(resolve_kernel_choice(options.kernels), /*check=*/true, mar, nullptr,
                 2 * trace.labels().size(0), compute.device);
  std::optional<KlDecoder> vae;
  const std::filesystem::path vae_path = options.vae.value_or(files.vae);
  if (options.vae || (trace.tensors.contains("image") && std::filesystem::exists(vae_path))) {
    FileWeights vae_weights(open(vae_path, kVaeTensor), placement);
    vae = load_vae_file(vae_weights);
  }
  const auto computed = replay(trace, mar, vae ? &*vae : nullptr, released_method(trace));
  if (options.dump) {
    dump(*options.dump, trace, computed);
  }
  return report(compare(trace, computed),
                options.tolerance.value_or(compute.precision->verify_tolerance));
}

}  // namespace lazymar
