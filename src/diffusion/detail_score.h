#pragma once
/// Which tokens have the most detail: GtR's frequency-weighted token selection (arXiv:2510.17171;
/// after a note about it, since its code is not public).

#include <ATen/core/Tensor.h>

namespace lazymar {

/// z [..., D] -> [...] fp32: the sum over n = 1 .. floor(D / 2) of |DFT(z)|(n) (1 + n / floor(D /
/// 2)), the DFT over the D channels.
at::Tensor detail_score(const at::Tensor& z);

}  // namespace lazymar
