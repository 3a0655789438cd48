#pragma once
/// The rate of matrix products that this machine currently reaches, as a yardstick for networks.

#include "weights/weights.h"

namespace lazymar {

/// FLOP/s of a transformer block's Linear in the placement's format, at a favourable shape (640
/// rows, 1024 -> 4096). The best of several rounds, half a second in all.
double gemm_rate(const Placement& placement);

}  // namespace lazymar
