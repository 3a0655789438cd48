#pragma once
/// The number types networks compute in.

#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

/// How networks compute. kBf16, kFp16: matrix products and convolutions from weights of that type,
/// all between them in fp32. kAuto: bf16 where the device has instructions for it, else fp32.
enum class Precision { kAuto, kBf16, kFp16, kFp32, kFp64 };

/// One of precision_names(); anything else throws (usage): "int8: use auto, ...".
Precision parse_precision(std::string_view text);
std::string_view to_string(Precision precision);
std::vector<std::string> precision_names();

}  // namespace lazymar
