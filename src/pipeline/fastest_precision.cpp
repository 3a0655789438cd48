#include "pipeline/fastest_precision.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "pipeline/product_timer.h"

namespace lazymar {

std::vector<ProductShape> product_shapes(const MarConfig& config) {
  constexpr int64_t kMany = 128;
  constexpr int64_t kFew = 16;
  const int64_t dim = config.decoder_dim;
  return {{"MLP, many rows", kMany, dim, config.decoder_mlp_dim},
          {"MLP, few rows", kFew, dim, config.decoder_mlp_dim},
          {"head, many rows", kMany, config.head_width, config.head_width}};
}

double product_seconds(const ProductShape& shape, const Linear& layer) {
  constexpr int kCalls = 4;
  const c10::InferenceMode guard;
  const at::Tensor x = at::ones({shape.rows, shape.in}, layer.input_type());
  return best_seconds(layer, x, kCalls, /*round_seconds=*/0);
}

double product_seconds(const ProductShape& shape, Precision precision) {
  const Placement placement{precision, c10::kCPU};
  const auto options = at::TensorOptions().dtype(placement.dtype());
  return product_seconds(shape, make_linear({at::full({shape.out, shape.in}, 0.5, options),
                                             at::ones({shape.out}, options)},
                                            LayerRole::kMlpIn, placement));
}

namespace {

ProductRate measure(const MarConfig& config, Precision precision) {
  constexpr double kGiga = 1e9;
  double flops = 0;
  double seconds = 0;
  for (const ProductShape& shape : product_shapes(config)) {
    flops += shape.flops();
    seconds += product_seconds(shape, precision);
  }
  return {precision, flops / seconds / kGiga};
}

}  // namespace

std::vector<ProductRate> measure_products(const MarConfig& config) {
  std::vector<ProductRate> rates;
  for (const Precision precision : precisions()) {
    const auto preferred = precision->cpu.preferred;
    if (preferred != nullptr && preferred()) {
      rates.push_back(measure(config, precision));
    }
  }
  return rates;
}

Precision fastest(const std::vector<ProductRate>& rates) {
  constexpr double kClose = 0.9;
  const auto slower = [](const ProductRate& a, const ProductRate& b) {
    return a.gflops < b.gflops;
  };
  const ProductRate& best = *std::max_element(rates.begin(), rates.end(), slower);
  const Precision fp32 = parse_precision("fp32");
  const bool close = std::any_of(rates.begin(), rates.end(), [&](const ProductRate& rate) {
    return rate.precision == fp32 && rate.gflops >= kClose * best.gflops;
  });
  return close ? fp32 : best.precision;
}

std::string to_string(const std::vector<ProductRate>& rates) {
  std::vector<std::string> texts;
  texts.reserve(rates.size());
  for (const ProductRate& rate : rates) {
    texts.push_back(concat(to_string(rate.precision), ": ", std::llround(rate.gflops), " GFLOP/s"));
  }
  return join(texts, ", ");
}

void advise_int8(Precision precision, const MarConfig& config) {
  if (precision != parse_precision("int8")) {
    return;
  }
  const std::vector<ProductRate> rates = measure_products(config);
  if (fastest(rates) == parse_precision("fp32")) {
    log_info(
        concat("precision: here, int8_fp32 is faster than int8, which leaves the head and the ",
               "VAE in bf16 (measured: ", to_string(rates), ")"));
  }
}

Precision automatic_precision(const MarConfig& config, c10::Device device) {
  const Precision by_flags = resolve_precision({}, device.is_cpu());
  if (!device.is_cpu() || by_flags == parse_precision("fp32")) {
    return by_flags;
  }
  const std::vector<ProductRate> rates = measure_products(config);
  const Precision chosen = fastest(rates);
  log_info(concat("precision: ", to_string(chosen), " (measured: ", to_string(rates), ")"));
  return chosen;
}

}  // namespace lazymar
