#include "bench/types.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/models.h"
#include "core/cpu_features.h"
#include "core/error.h"
#include "core/text.h"
#include "files/atomic_file.h"
#include "files/writable_check.h"
#include "pipeline/compute.h"
#include "pipeline/device.h"
#include "pipeline/fastest_precision.h"

namespace lazymar {
namespace {

std::string rates_of(const BenchOptions& options, const std::string& model, c10::Device device) {
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
  std::string text = concat(model, " (", shape.source, ")\n\n", head, "\n", line, "\n");
  for (const ProductShape& product : product_shapes(shape.mar)) {
    text +=
        concat("| ", product.name, ": ", product.rows, " x ", product.in, " x ", product.out, " |");
    for (const Precision precision : here) {
      const double seconds = product_seconds(product, device, precision);
      text += concat(" ", std::llround(product.flops() / seconds / kGiga), " |");
    }
    text += "\n";
  }
  const auto rates = measure_products(shape.mar, device);
  return text +
         concat("\n--precision auto: ", to_string(fastest(rates)), " (", to_string(rates), ")\n");
}

}  // namespace

ExitCode measure_types(const BenchOptions& options) {
  if (options.markdown) {
    check_output_file(*options.markdown, "--markdown");
  }
  const c10::Device device =
      start_computing({.device = options.device, .threads = options.threads}).device;
  if (!device.is_cpu()) {
    throw usage_error("--types measures CPUs; add --device cpu");
  }
  std::string text = concat(device_model(device), ", ", cpu_feature_names(), "\n");
  for (const std::string& model : options.models) {
    text += concat("\n", rates_of(options, model, device));
  }
  std::fputs(visible(text, /*keep_lines=*/true).c_str(), stdout);
  if (options.markdown) {
    write_text_atomically(*options.markdown, text);
  }
  return ExitCode::kDone;
}

}  // namespace lazymar
