#include "generate/settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <variant>

#include "core/hash.h"
#include "core/revision.h"
#include "pipeline/device.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

constexpr size_t kLongestPart = 48;

/// A part of a file name: separators become dashes, long lists their FNV-1a hash.
std::string name_part(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == ',' || c == '/' || c == ':' || c == '_'; },
      '-');
  if (text.size() <= kLongestPart) {
    return text;
  }
  return fnv1a_hex(text);
}

ordered_json to_json(const OptionValue& value) {
  return std::visit(
      [](const auto& held) -> ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

}  // namespace

EvalOptions resolve(const EvalOptions& options, const RecommendedSampling& recommended,
                    c10::Device device) {
  EvalOptions resolved = options;
  resolved.sampling = resolve_sampling(options, recommended);
  resolved.cfg = resolved.sampling.cfg;
  resolved.cfg_schedule = resolved.sampling.cfg_schedule;
  const int64_t usual = device.is_cuda() ? EvalOptions::kCudaBatch : EvalOptions::kCpuBatch;
  resolved.eval_bsz = std::min(options.eval_bsz.value_or(usual), options.num_images);
  resolved.precision = resolve_precision(options.precision, device.is_cpu());
  resolved.device = device_model(device);
  return resolved;
}

std::string settings_name(const std::vector<std::string>& parts) {
  std::string name;
  for (const std::string& part : parts) {
    name += concat(name.empty() ? "" : "_", name_part(part));
  }
  return name;
}

std::string settings_name(const EvalOptions& resolved, const EvalOptions& usual) {
  return settings_name(folder_parts(eval_rows(), resolved, usual));
}

ordered_json settings_json(const std::vector<SettingValue>& values) {
  ordered_json settings;
  for (const SettingValue& setting : values) {
    settings[ordered_json::json_pointer("/" + setting.key)] = to_json(setting.value);
  }
  settings[kVersionSetting] = version_string();
  return settings;
}

ordered_json settings_json(const EvalOptions& resolved) {
  return settings_json(setting_values(eval_rows(), resolved));
}

}  // namespace lazymar
