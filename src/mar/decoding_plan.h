#pragma once
/// Which tokens each decoding step predicts. Tokens are stored in decoding order: row j of an image
/// is the token order[j]; rows [0, masked) are masked, [masked, L) known, [L, L + P) the buffer.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "method/sampling_options.h"

namespace lazymar {

/// A handful of integers, known before anything is computed.
struct DecodeStep {
  int64_t index = 0;          ///< s
  int64_t first = 0;          ///< rows [first, masked) are predicted in this step
  int64_t masked = 0;         ///< m, rows masked before this step
  int64_t masked_before = 0;  ///< m of the step before; rows [masked, masked_before) are new
  double guidance = 1.0;      ///< scale of classifier-free guidance

  int64_t predicted() const { return masked - first; }
  int64_t just_decoded() const { return masked_before - masked; }
};

/// The cosine schedule of MAR: m' = max(1, min(m - 1, floor(L * cos(pi/2 * (s+1)/S)))); the last
/// step predicts all that is left. With S > L some middle steps predict nothing.
std::vector<DecodeStep> make_decoding_plan(int64_t sequence_length, const SamplingOptions& options);

/// Within a step the order has no meaning: sorts each step's group of orders [B, L] (int64, CPU) by
/// raster position, so that rows line up with recorded traces.
void sort_within_steps(at::Tensor& orders, const std::vector<DecodeStep>& plan);

}  // namespace lazymar
