#pragma once
/// NaN and infinite values in a file's tensors. No LibTorch here.

#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/weight_content.h"

namespace lazymar {

/// How many of these consecutive elements are NaN or infinite; 0 for types without such values.
int64_t count_bad_values(ElementType type, std::span<const std::byte> elements);

/// The same for a tensor, with or without strides.
int64_t count_bad_values(const TensorView& view);

}  // namespace lazymar
