#pragma once
/// Traces: recorded runs of the original, with inputs to replay and outputs to compare.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/noise.h"
#include "method/decoding_method.h"
#include "weights/weight_file.h"

namespace lazymar {

/// One recorded run: labels [B] and orders [B, L] (int64); noise_init.s [B * n, C], noise_loop.s
/// [T, B * n, C] (first row = largest timestep, T that of the step), z.s, sampled.s, latents, image
/// if recorded.
struct Trace {
  std::map<std::string, at::Tensor> tensors;
  std::string config_json;
  SamplingOptions sampling;
  bool lazy_mar = false;
  std::optional<DecodingMethod> method;  ///< of its metadata; empty: MAR or LazyMAR as above
  int64_t encoder_heads = 0;
  int64_t patch_size = 1;

  const at::Tensor& labels() const { return tensors.at("labels"); }
  const at::Tensor& orders() const { return tensors.at("orders"); }
};

/// Reads `folder`/trace.safetensors; throws Error (usage) if it is not a usable trace.
Trace load_trace(const std::filesystem::path& folder);

/// The folder's own mar.safetensors and vae.safetensors, or those of the folder its WEIGHTS names.
struct TraceWeights {
  std::filesystem::path mar, vae;
};
TraceWeights find_trace_weights(const std::filesystem::path& folder);

/// Supplies a trace's orders and noise.
class RecordedNoise final : public NoiseSource {
 public:
  explicit RecordedNoise(const Trace& trace) : trace_(trace) {}

  void order(int64_t slot, std::span<int64_t> order) override;
  void normals(const NoiseRequest& request, std::span<float> values) override;

 private:
  const Trace& trace_;
};

}  // namespace lazymar
