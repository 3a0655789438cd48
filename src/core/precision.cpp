#include "core/precision.h"

#include "core/error.h"
#include "core/option_field.h"

namespace lazymar {
namespace {

bool always() {
  return true;
}

bool never() {
  return false;
}

#if defined(__x86_64__)
bool cpu_has_bf16() {
  return __builtin_cpu_supports("avx512bf16") != 0;  // as every CPU with AMX
}
bool cpu_can_bf16() {
  return __builtin_cpu_supports("avx512bw") != 0;  // oneDNN widens to fp32
}
#else
constexpr auto cpu_has_bf16 = never;
constexpr auto cpu_can_bf16 = never;
#endif

/// In fp64 the original still computes the timesteps' sinusoids in fp32, by vector functions whose
/// last bit depends on the processor. The trace's own machine gives 1e-13, others up to 2e-11.
constexpr double kTolerance64 = 1e-10;
/// In 16 bits the cache may choose another row, the largest error: 1.4e-3 on some processors.
constexpr double kTolerance16 = 2e-3;

constexpr PrecisionPreset kPrecisions[] = {
    {.name = "bf16",
     .formats = {"bf16", /*exact=*/"fp32"},
     .activations = NumberType::kFp32,
     .convolutions = NumberType::kBf16,
     .cpu = {cpu_can_bf16, cpu_has_bf16, "this CPU has no AVX-512; use fp32"},
     .gpu = {.preferred = always},
     .verify_tolerance = kTolerance16,
     .retry_in = "fp32"},
    {.name = "fp16",
     .formats = {"fp16", /*exact=*/"fp32"},
     .activations = NumberType::kFp32,
     .convolutions = NumberType::kFp16,
     .cpu = {.works = never, .refusal = "for GPUs; use bf16 or fp32 on CPUs"},
     .gpu = {},
     .verify_tolerance = kTolerance16,
     .retry_in = "fp32"},
    {.name = "fp32",
     .formats = {"fp32", "fp32"},
     .activations = NumberType::kFp32,
     .convolutions = NumberType::kFp32,
     .cpu = {.preferred = always},
     .gpu = {},
     .verify_tolerance = 1e-7},
    {.name = "fp64",
     .formats = {"fp64", "fp64"},
     .activations = NumberType::kFp64,
     .convolutions = NumberType::kFp64,
     .cpu = {},
     .gpu = {},
     .verify_tolerance = kTolerance64},
};

std::vector<Precision>& table() {
  static std::vector<Precision> rows = [] {
    std::vector<Precision> built_in;
    for (const PrecisionPreset& preset : kPrecisions) {
      built_in.emplace_back(preset);
    }
    return built_in;
  }();
  return rows;
}

}  // namespace

const std::vector<Precision>& precisions() {
  return table();
}

void add_precision(const PrecisionPreset& preset) {
  table().emplace_back(preset);
}

Precision parse_precision(std::string_view text) {
  if (text == "auto") {
    return {};
  }
  for (const Precision precision : precisions()) {
    if (text == precision->name) {
      return precision;
    }
  }
  throw usage_error(text, ": use ", alternatives(precision_names()));
}

std::string_view to_string(Precision precision) {
  return precision.is_auto() ? "auto" : precision->name;
}

std::vector<std::string> precision_names() {
  std::vector<std::string> names{"auto"};
  for (const Precision precision : precisions()) {
    names.emplace_back(precision->name);
  }
  return names;
}

Precision resolve_precision(Precision precision, bool on_cpu) {
  const auto support = [&](Precision row) { return on_cpu ? row->cpu : row->gpu; };
  if (!precision.is_auto()) {
    const auto [works, preferred, refusal] = support(precision);
    if (works != nullptr && !works()) {
      throw setting_error("precision", " ", precision->name, ": ", refusal);
    }
    return precision;
  }
  for (const Precision row : precisions()) {
    const auto preferred = support(row).preferred;
    if (preferred != nullptr && preferred()) {
      return row;
    }
  }
  throw Error(ErrorKind::kInternal, "no precision is preferred on this device");
}

}  // namespace lazymar
