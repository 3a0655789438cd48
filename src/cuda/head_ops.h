#pragma once
/// Kernel versions of diffusion/head_ops.h, for the table in device_ops.cpp.

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "diffusion/head_ops.h"

namespace lazymar::cuda {

std::optional<HeadMlpOutput> mlp_of_few_rows(const HeadMlp& block);
std::optional<HeadBlocksOutput> blocks_of_few_rows(const std::vector<HeadMlp>& blocks);
at::Tensor sums_of_gates(const GatedSums& sums);
Reversed one_step(const ReverseStep& step);
bool fits_head_window(const at::Tensor& x, int64_t width);
at::Tensor window(const HeadWindow& window);

}  // namespace lazymar::cuda
