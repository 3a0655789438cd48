#pragma once
/// What `--precision auto` means on a CPU: the type whose products are measured to be fastest. A
/// processor's flags say that an instruction exists, not that it is fast: some Intel processors
/// with AVX512_BF16 compute half as fast with it as in fp32.

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "core/network_config.h"
#include "core/precision.h"
#include "nn/linear.h"

namespace lazymar {

/// A product of rows [rows, in] with a weight [out, in].
struct ProductShape {
  const char* name;
  int64_t rows, in, out;

  double flops() const {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(in) * static_cast<double>(out);
  }
};

/// What is measured of a model: few and many rows. A cached step of a small batch has few.
std::vector<ProductShape> product_shapes(const MarConfig& config);

/// Seconds of the best of a few products on the CPU, of this layer, or packed as a network of this
/// precision has them; none may be computed meanwhile.
double product_seconds(const ProductShape& shape, const Linear& layer);
double product_seconds(const ProductShape& shape, Precision precision);

/// One precision's packed products, of the model's own shapes.
struct ProductRate {
  Precision precision;
  double gflops = 0;  ///< GFLOP/s: FLOPs of all shapes over the sum of their times
};

/// Rates on the CPU of the precisions between which `auto` chooses, fp32 among them; takes about a
/// tenth of a second.
std::vector<ProductRate> measure_products(const MarConfig& config);

/// The fastest, or fp32 if that is at most 10 % slower. `rates` is not empty.
Precision fastest(const std::vector<ProductRate>& rates);

/// "fp32: 252 GFLOP/s, bf16: 156 GFLOP/s"
std::string to_string(const std::vector<ProductRate>& rates);

/// Says in the log if int8 should be int8_fp32 here: what it leaves in bf16 is faster in fp32.
/// Nothing for other precisions.
void advise_int8(Precision precision, const MarConfig& config);

/// What `auto` takes for this model, and says so in the log; measured if there is a choice. A GPU
/// takes what resolve_precision() says.
Precision automatic_precision(const MarConfig& config, c10::Device device);

}  // namespace lazymar
