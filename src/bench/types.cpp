#include "bench/types.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "bench/models.h"
#include "bench/table_files.h"
#include "core/cpu_features.h"
#include "core/error.h"
#include "core/text.h"
#include "nn/linear_onednn.h"
#include "pipeline/compute.h"
#include "pipeline/device.h"
#include "pipeline/fastest_precision.h"

namespace lazymar {
namespace {

/// fp16 is no precision of CPUs. What oneDNN offers in it is measured for comparison, if its sums
/// are in fp32: in fp16, a sum of ones ends at 2048.
std::optional<Linear> half_layer(const ProductShape& shape) {
  constexpr int64_t kOnes = 4096;
  const auto make = [](int64_t out, int64_t in) {
    const auto half = at::TensorOptions().dtype(c10::kHalf);
    return Linear(in, out, onednn_kernel({at::ones({out, in}, half), at::zeros({out}, half)}));
  };
  if (!has_onednn(c10::kCPU)) {
    return std::nullopt;
  }
  try {
    const c10::InferenceMode guard;
    const at::Tensor sum = make(1, kOnes)(at::ones({1, kOnes}, c10::kHalf));
    return sum.item<double>() == kOnes ? std::optional(make(shape.out, shape.in)) : std::nullopt;
  } catch (const c10::Error&) {
    return std::nullopt;  // this processor has no products of fp16
  }
}

std::string rates_of(const BenchOptions& options, const std::string& model) {
  constexpr double kGiga = 1e9;
  ModelRequest request = options.model;
  request.model = model;
  const NetworkShape shape = open_listed([&] { return read_shape(request); });
  const std::vector<Precision> here = working_precisions(/*on_cpu=*/true);
  std::string head = "| GFLOP/s |";
  std::string line = "|---|";
  for (const Precision precision : here) {
    head += concat(" ", to_string(precision), " |");
    line += "---:|";
  }
  head += " fp16 (oneDNN, not used) |";
  line += "---:|";
  std::string text = concat(model, " (", shape.source, ")\n\n", head, "\n", line, "\n");
  for (const ProductShape& product : product_shapes(shape.mar)) {
    text +=
        concat("| ", product.name, ": ", product.rows, " x ", product.in, " x ", product.out, " |");
    const auto add = [&](double seconds) {
      text += concat(" ", std::llround(product.flops() / seconds / kGiga), " |");
    };
    for (const Precision precision : here) {
      add(product_seconds(product, precision));
    }
    if (const auto half = half_layer(product)) {
      add(product_seconds(product, *half));
    } else {
      text += " none |";
    }
    text += "\n";
  }
  const auto rates = measure_products(shape.mar);
  return text +
         concat("\n--precision auto: ", to_string(fastest(rates)), " (", to_string(rates), ")\n");
}

}  // namespace

ExitCode measure_types(const BenchOptions& options) {
  const c10::Device device =
      start_computing({.device = options.device, .threads = options.threads}).device;
  if (!device.is_cpu()) {
    throw usage_error("--types measures CPUs; add --device cpu");
  }
  std::string text = concat(device_model(device), ", ", cpu_feature_names(), "\n");
  for (const std::string& model : options.models) {
    text += concat("\n", rates_of(options, model));
  }
  publish(options, text);
  return ExitCode::kDone;
}

}  // namespace lazymar
