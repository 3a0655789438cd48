#pragma once
/// Values of a file's tensors that nothing can be computed with. No LibTorch here.

#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/weight_content.h"

namespace lazymar {

/// How many of these consecutive elements are NaN or infinite in the type `as`, where those too
/// large for it become infinite; 0 for types without such values. `as` is a floating-point type.
int64_t count_bad_values(ElementType type, std::span<const std::byte> elements, ElementType as);

/// The same for a tensor, with or without strides; and in its own type.
int64_t count_bad_values(const TensorView& view, ElementType as);
int64_t count_bad_values(const TensorView& view);

}  // namespace lazymar
