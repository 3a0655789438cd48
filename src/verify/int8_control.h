#pragma once
/// The control of docs/int8.md: what int8 loses if a tensor of activations has one factor.

#include <string_view>

namespace lazymar {

inline constexpr std::string_view kInt8Control = "int8_by_tensor";

/// Adds the precision int8_by_tensor: int8 with one factor for all rows of a layer's input, from
/// the largest magnitude that the layer has met so far. With buffer rows 30 times larger than
/// others, a replay must be clearly worse; if it is not, the replay shows nothing about int8.
/// Call it once, before any option is read.
void add_int8_control();

}  // namespace lazymar
