#include "core/precision.h"

#include <array>
#include <utility>

#include "core/error.h"
#include "core/option_field.h"

namespace lazymar {
namespace {

constexpr std::array<std::pair<Precision, std::string_view>, 5> kPrecisions{{
    {Precision::kAuto, "auto"},
    {Precision::kBf16, "bf16"},
    {Precision::kFp16, "fp16"},
    {Precision::kFp32, "fp32"},
    {Precision::kFp64, "fp64"},
}};

}  // namespace

Precision parse_precision(std::string_view text) {
  for (const auto& [precision, name] : kPrecisions) {
    if (text == name) {
      return precision;
    }
  }
  throw usage_error(text, ": use ", alternatives(precision_names()));
}

std::string_view to_string(Precision precision) {
  return kPrecisions[static_cast<size_t>(precision)].second;
}

std::vector<std::string> precision_names() {
  std::vector<std::string> names;
  for (const auto& [precision, name] : kPrecisions) {
    names.emplace_back(name);
  }
  return names;
}

}  // namespace lazymar
