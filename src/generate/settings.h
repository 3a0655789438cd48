#pragma once
/// The settings that determine a run's images, as a folder name and as the manifest's JSON.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "generate/options.h"

namespace lazymar {

/// A run's options, completed with what checkpoint and device determine: guidance, batch size,
/// precision (not auto), and the device's model as the device.
EvalOptions resolve(const EvalOptions& options, const RecommendedSampling& recommended,
                    c10::Device device);

/// A folder name with every setting that differs from the usual one; no timestamp.
/// "iter64_baseline", "iter32_lazy_cfg2_n64_seed7". `parts`: of folder_parts().
std::string settings_name(const std::vector<std::string>& parts);
/// With lazymar_eval's own table. `usual`: resolve() without options.
std::string settings_name(const EvalOptions& resolved, const EvalOptions& usual);

/// Everything that the PNGs' bytes depend on except the weights: sampling, classes, shard size,
/// device model, precision, version. Not the number of processes or threads.
/// `values`: of setting_values().
nlohmann::ordered_json settings_json(const std::vector<SettingValue>& values);
/// With lazymar_eval's own table. `resolved`: of resolve().
nlohmann::ordered_json settings_json(const EvalOptions& resolved);

}  // namespace lazymar
