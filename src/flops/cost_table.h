#pragma once
/// What methods cost on paper, as Markdown.

#include <string>
#include <vector>

#include "flops/flop_formula.h"

namespace lazymar {

/// A method on one network.
struct CostRow {
  std::string name;
  FlopCount flops;     ///< an image, executed
  FlopCount baseline;  ///< the same without what the method saves: MAR as released
};

/// TFLOP per image by component, and how many times less than the baseline.
std::string cost_table(const std::vector<CostRow>& rows);

/// FLOPs of one image in a batch of one, in a process that has its tables.
FlopCount flops_per_image(const MarConfig& mar, const VaeConfig& vae, const DecodingMethod& method);

}  // namespace lazymar
