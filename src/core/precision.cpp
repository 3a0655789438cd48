#include "core/precision.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "core/cpu_features.h"
#include "core/error.h"
#include "core/option_field.h"
#include "core/text.h"

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
  return has_cpu_feature(CpuFeature::kAvx512Bf16);
}
bool cpu_can_bf16() {
  return has_cpu_feature(CpuFeature::kAvx512);  // oneDNN widens to fp32
}
bool cpu_has_int8() {
  return has_cpu_feature(CpuFeature::kAvx512Vnni);
}
#else
constexpr auto cpu_has_bf16 = never;
constexpr auto cpu_can_bf16 = never;
constexpr auto cpu_has_int8 = never;
#endif

/// In fp64 the original still computes the timesteps' sinusoids in fp32, by vector functions whose
/// last bit depends on the processor. The trace's own machine gives 1e-13, others up to 2e-11.
constexpr double kTolerance64 = 1e-10;
/// In 16 bits the cache may choose another row, the largest error: 1.4e-3 on some processors.
constexpr double kTolerance16 = 2e-3;
/// 8 bits: one such token gives its decoding step 2.2e-2, and the latents 9e-4.
constexpr double kTolerance8 = 5e-2;

/// Products of the transformer blocks, which int8 may compute, as checkpoints name them.
constexpr std::pair<std::string_view, LayerRole> kBlockLayers[] = {
    {"qkv", LayerRole::kQkv},
    {"proj", LayerRole::kProjection},
    {"fc1", LayerRole::kMlpIn},
    {"fc2", LayerRole::kMlpOut},
};

constexpr LayerFormats kBf16Layers("bf16", "fp32");
constexpr LayerFormats kFp32Layers("fp32", "fp32");

/// These products in 8 bits, the other layers as `formats` says.
constexpr PrecisionPreset int8_preset(std::string_view name, LayerFormats formats,
                                      NumberType convolutions) {
  for (const auto& [layer, role] : kBlockLayers) {
    formats = formats.with(role, "int8");
  }
  return {
      .name = name,
      .formats = formats,
      .activations = NumberType::kFp32,
      .convolutions = convolutions,
      .cpu = {.works = cpu_has_int8, .refusal = "this CPU has no AVX512_VNNI; use bf16 or fp32"},
      .gpu = {.works = never, .refusal = "for CPUs; use bf16 on GPUs"},
      .verify_tolerance = kTolerance8,
      .retry_in = "fp32"};
}

constexpr PrecisionPreset kPrecisions[] = {
    {.name = "bf16",
     .formats = kBf16Layers,
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
    int8_preset("int8", kBf16Layers, NumberType::kBf16),
    int8_preset("int8_fp32", kFp32Layers, NumberType::kFp32),
    {.name = "fp32",
     .formats = kFp32Layers,
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

/// int8 for some layers: "int8:qkv,fc1" is the row int8 with `layers` "qkv,fc1". A preset that
/// lasts as long as the program, once per text.
Precision some_int8_layers(std::string_view text, Precision row, std::string_view layers) {
  static std::mutex mutex;
  static std::map<std::string, PrecisionPreset, std::less<>> made;
  const std::lock_guard lock(mutex);
  if (const auto there = made.find(text); there != made.end()) {
    return Precision(there->second);
  }
  // In the row, all of them are in 8 bits: first as its layers outside of the blocks.
  LayerFormats formats = row->formats.replaced("int8", row->formats.of(LayerRole::kHead));
  for (const std::string& layer : split(std::string(layers), ',')) {
    const auto* const found = std::find_if(std::begin(kBlockLayers), std::end(kBlockLayers),
                                           [&](const auto& known) { return known.first == layer; });
    if (found == std::end(kBlockLayers)) {
      throw usage_error(text, ": there is no layer \"", layer,
                        "\"; use some of qkv, proj, fc1, fc2");
    }
    formats = formats.with(found->second, "int8");
  }
  PrecisionPreset preset = *row;
  preset.formats = formats;
  const auto place = made.emplace(text, preset).first;
  place->second.name = place->first;
  return Precision(place->second);
}

}  // namespace

const std::vector<Precision>& precisions() {
  return table();
}

std::vector<Precision> working_precisions(bool on_cpu) {
  std::vector<Precision> working;
  for (const Precision row : precisions()) {
    const auto works = (on_cpu ? row->cpu : row->gpu).works;
    if (works == nullptr || works()) {
      working.push_back(row);
    }
  }
  return working;
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
  for (const std::string_view name : {"int8", "int8_fp32"}) {
    if (text.starts_with(concat(name, ":"))) {
      return some_int8_layers(text, parse_precision(name), text.substr(name.size() + 1));
    }
  }
  throw usage_error(text, ": ", use_one_of(std::string(text), precision_names()));
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
