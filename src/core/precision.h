#pragma once
/// The number types networks compute in.

#include <string_view>

namespace lazymar {

/// How networks compute. kBf16, kFp16: matrix products and convolutions from weights of that type,
/// all between them in fp32. kAuto: bf16 where the device has instructions for it, else fp32.
enum class Precision { kAuto, kBf16, kFp16, kFp32, kFp64 };

/// "auto", "bf16", "fp16", "fp32" or "fp64"; anything else throws (usage).
Precision parse_precision(std::string_view text);
std::string_view to_string(Precision precision);

}  // namespace lazymar
