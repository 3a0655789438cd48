#include "verify/trace.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "files/missing_path.h"
#include "method/method_json.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

void read_settings(Trace& trace, const std::string& where) {
  try {
    const json config = json::parse(trace.config_json);
    trace.sampling.num_iter = config.at("num_iter").get<int64_t>();
    trace.sampling.num_sampling_steps = config.at("num_sampling_steps").get<int64_t>();
    trace.sampling.cfg = config.at("cfg").get<double>();
    trace.sampling.cfg_schedule = parse_cfg_schedule(config.at("cfg_schedule").get<std::string>());
    trace.sampling.temperature = config.at("temperature").get<double>();
    trace.lazy_mar = config.at("lazy_mar").get<bool>();
    trace.encoder_heads = config.at("encoder_num_heads").get<int64_t>();
    trace.patch_size = config.at("patch_size").get<int64_t>();
    if (config.contains("method")) {
      trace.method = method_from_json(ordered_json::parse(config.at("method").dump()));
    }
  } catch (const json::exception& error) {
    throw usage_error(where, ": metadata \"config\": ", error.what());
  }
}

/// Every row of orders must be a permutation: it indexes everything else.
void check_orders(const Trace& trace, const std::string& where) {
  const at::Tensor& orders = trace.orders();
  const at::Tensor& labels = trace.labels();
  const bool shapes = orders.dim() == 2 && labels.dim() == 1 && orders.size(0) == labels.size(0) &&
                      orders.scalar_type() == c10::kLong && labels.scalar_type() == c10::kLong;
  const auto sorted = [](const at::Tensor& t) { return std::get<0>(t.sort(1)); };
  if (!shapes || !sorted(orders).eq(at::arange(orders.size(1))).all().item<bool>()) {
    throw usage_error(where, ": labels or orders are invalid");
  }
}

/// The tensor of that name: `values` numbers, or any number of times as many.
const at::Tensor& find_tensor(const Trace& trace, const std::string& name, int64_t values,
                              bool repeated) {
  const auto found = trace.tensors.find(name);
  const bool usable = found != trace.tensors.end() && found->second.scalar_type() == c10::kFloat &&
                      (repeated ? found->second.numel() % std::max<int64_t>(1, values) == 0
                                : found->second.numel() == values);
  if (!usable) {
    throw usage_error("trace: tensor \"", name, "\" is missing or does not have ", values,
                      " fp32 values");
  }
  return found->second;
}

}  // namespace

Trace load_trace(const fs::path& folder) {
  const fs::path path = folder / "trace.safetensors";
  if (!fs::exists(path)) {
    throw usage_error("--trace ", folder.string(),
                      fs::exists(folder) ? ": contains no trace.safetensors" : ": not found",
                      meant_from_here(folder),
                      "; a trace is a folder with trace.safetensors and mar.safetensors (or "
                      "WEIGHTS, a file that ",
                      "names the folder with the weights), such as tests/data/traces/small-lazy");
  }
  const WeightFile file(path);
  Trace trace;
  for (const auto& [name, view] : file.tensors()) {
    trace.tensors[name] = tensor_from_view(view, file, name).clone();
  }
  const auto config = file.metadata().find("config");
  if (config == file.metadata().end() || !trace.tensors.contains("labels") ||
      !trace.tensors.contains("orders")) {
    throw usage_error(path.string(),
                      ": not a trace: labels, orders or metadata \"config\" missing");
  }
  trace.config_json = config->second;
  read_settings(trace, path.string());
  check_orders(trace, path.string());
  return trace;
}

TraceWeights find_trace_weights(const fs::path& folder) {
  fs::path source = folder;
  if (!fs::exists(folder / "mar.safetensors")) {
    std::ifstream file(folder / "WEIGHTS");
    std::string name;
    if (!(file >> name)) {
      throw usage_error(folder.string(),
                        ": contains neither mar.safetensors nor a WEIGHTS file that names ",
                        "the folder with the weights; use --weights and --vae");
    }
    source = folder / name;
  }
  return {source / "mar.safetensors", source / "vae.safetensors"};
}

void RecordedNoise::order(int64_t slot, std::span<int64_t> order) {
  const at::Tensor row = trace_.orders()[slot].contiguous();
  std::copy_n(row.const_data_ptr<int64_t>(), order.size(), order.begin());
}

void RecordedNoise::normals(const NoiseRequest& request, std::span<float> values) {
  const auto count = static_cast<int64_t>(values.size());
  const std::string step = std::to_string(request.decoding_step);
  const float* source = nullptr;
  if (request.diffusion_step == NoiseRequest::kStart) {
    source = find_tensor(trace_, "noise_init." + step, count, false).const_data_ptr<float>();
  } else {
    const at::Tensor& noise = find_tensor(trace_, "noise_loop." + step, count, true);
    const int64_t taken = noise.numel() / count - 1 - request.diffusion_step;
    if (taken < 0) {
      throw usage_error("trace: tensor \"noise_loop.", step, "\" has noise of ",
                        noise.numel() / count, " diffusion steps, fewer than its method takes");
    }
    source = noise.const_data_ptr<float>() + taken * count;
  }
  std::copy_n(source, values.size(), values.begin());
}

}  // namespace lazymar
