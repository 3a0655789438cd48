#pragma once
/// The order of Halton-MaskGIT (Besnier et al., arXiv:2503.17076; Sampler/halton_sampler.py of
/// github valeoai/Halton-MaskGIT@f61b0a1).

#include "method/orders.h"

namespace lazymar {

/// The cells of the square that a Halton sequence visits (base 2 chooses the row, base 3 the
/// column), each when it is first met; as released the first 10,000 points. "rolled" begins at a
/// place of each image's own.
TokenOrder halton_order(int64_t length, const std::string& argument);

}  // namespace lazymar
