#pragma once
/// What determines the images of a run, by name: as a folder's name and as the manifest's JSON.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "generate/options.h"

namespace lazymar {

/// The options of a run with everything filled in that checkpoint and device choose: guidance,
/// batch size, precision (not auto), and as the device its model.
EvalOptions resolve(const EvalOptions& options, const RecommendedSampling& recommended,
                    c10::Device device);

/// A folder name that names every setting that differs from the usual one; no timestamp.
/// "iter64_baseline", "iter32_lazy_cfg2_n64_seed7". `parts`: of folder_parts().
std::string settings_name(const std::vector<std::string>& parts);
/// With lazymar_eval's own table. `usual`: resolve() of what has no options.
std::string settings_name(const EvalOptions& resolved, const EvalOptions& usual);

/// Everything that the PNGs' bytes depend on, weights excepted: sampling, classes, shard size,
/// device model, precision, version. Not the number of processes or threads.
/// `values`: of setting_values().
nlohmann::ordered_json settings_json(const std::vector<SettingValue>& values);
/// With lazymar_eval's own table. `resolved`: of resolve().
nlohmann::ordered_json settings_json(const EvalOptions& resolved);

}  // namespace lazymar
