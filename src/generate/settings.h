#pragma once
/// What determines the images of a run, by name: as a folder's name and as the manifest's JSON.

#include <c10/core/Device.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/precision.h"
#include "generate/options.h"
#include "method/sampling_options.h"

namespace lazymar {

/// What a run resolved from command line, checkpoint and device, beside what it would be without
/// the command line.
struct ResolvedSettings {
  SamplingOptions sampling;
  int64_t eval_bsz = 0;
  Precision precision = parse_precision("fp32");  ///< not auto
};

/// A folder name that tells every setting that differs from the default; no timestamp.
/// "iter64_baseline", "iter32_lazy_cfg2_n64_seed7".
std::string settings_name(const EvalOptions& options, const ResolvedSettings& resolved,
                          const ResolvedSettings& standard);

/// Everything that the PNGs' bytes depend on, weights excepted: sampling, classes, shard size,
/// device model, precision, version. Not the number of processes or threads.
nlohmann::ordered_json settings_json(const EvalOptions& options, const ResolvedSettings& resolved,
                                     c10::Device device);

}  // namespace lazymar
