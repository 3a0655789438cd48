#pragma once
/// What methods cost on paper, as Markdown.

#include <string>
#include <vector>

#include "core/precision.h"
#include "flops/flop_formula.h"

namespace lazymar {

/// A method on one network.
struct CostRow {
  std::string name;
  FlopCount flops;          ///< an image, executed
  FlopCount baseline;       ///< the same without what the method saves: MAR as released
  int64_t cache_bytes = 0;  ///< an image: what caches hold between steps
};

/// What caches hold between steps. Numbers are those of `precision`, or of bf16 if it is auto.
int64_t cache_bytes_per_image(const MarConfig& mar, const DecodingPlan& plan, Precision precision);

/// A method beside the baseline on one network.
CostRow cost_row(const MarConfig& mar, const VaeConfig& vae, const DecodingMethod& method,
                 const DecodingMethod& baseline, Precision precision);

/// TFLOP per image by component, how many times less than the baseline, and MB of caches.
std::string cost_table(const std::vector<CostRow>& rows);

/// FLOPs of one image in a batch of one, in a process that has its tables.
FlopCount flops_per_image(const MarConfig& mar, const VaeConfig& vae, const DecodingMethod& method);

}  // namespace lazymar
