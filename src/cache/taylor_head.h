#pragma once
/// TaylorSeer's predictor (Liu et al., arXiv:2503.06923) of order 1 on the diffusion head, as a row
/// of the table of cache policies.

#include "cache/policies.h"

namespace lazymar {

/// Every N-th diffusion step computes the head; the others extrapolate what it predicts from the
/// last two that did: F + x (F - F_before) / N', x steps behind F, N' between the two. Until there
/// are two the head is computed. The last diffusion step is computed, as its error stays.
///
/// Option "interval": N, 2 by default; 1 is plain MAR.
CachePolicy taylor_policy();

}  // namespace lazymar
