#include "generate/drift_files.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "core/log.h"
#include "run/drift.h"
#include "run/head_recording.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::vector<int64_t> masked_rows(const std::vector<DecodeStep>& plan) {
  std::vector<int64_t> masked;
  for (const DecodeStep& step : plan) {
    masked.push_back(step.masked);
  }
  masked.push_back(0);
  return masked;
}

/// Prepares the folder for a run. Existing recordings are kept if the run continues, else removed.
/// Recordings with other settings are refused, unless a new run may overwrite them.
void prepare_folder(const fs::path& folder, const ordered_json& settings, bool continues,
                    bool overwrite) {
  std::vector<fs::path> recorded = feature_files(folder);
  const size_t drifts = recorded.size();
  for (const fs::path& path : head_recording_files(folder)) {
    recorded.push_back(path);
  }
  for (size_t i = 0; i < recorded.size(); ++i) {
    const fs::path& path = recorded[i];
    if (continues || !overwrite) {
      const std::string difference =
          differences(i < drifts ? read_image_drift(path).header.settings
                                 : read_head_recording(path).header.settings,
                      settings);
      if (!difference.empty()) {
        throw usage_error("--record_drift: ", path.string(),
                          ": recorded with other settings: ", difference,
                          "; use another folder, or --overwrite");
      }
    }
    if (!continues) {
      fs::remove(path);
    }
  }
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) {
    throw output_error("--record_drift: ", folder.string(), ": ", failed.message());
  }
}

/// Writes an image's file; if its drift is not finite, warns instead.
void write_image(const fs::path& folder, const DriftHeader& header, const FeatureDrift& changes) {
  std::map<std::string, TensorSource> tensors;
  for (const auto& [name, tensor] : {std::pair("output", changes.output),
                                     {"values", changes.values},
                                     {"difference", changes.difference}}) {
    if (!tensor.defined()) {
      continue;
    }
    if (!tensor.isfinite().all().item<bool>()) {
      log_warning(
          concat("image ", header.image, ": its features are not finite; they are not recorded"));
      return;
    }
    tensors.emplace(name, recorded_tensor(tensor.to(c10::kBFloat16)));
  }
  write_drift(folder, header, tensors);
}

}  // namespace

TensorSource recorded_tensor(const at::Tensor& values) {
  const at::Tensor stored = values.contiguous();
  const ElementType type =
      stored.scalar_type() == c10::kBFloat16 ? ElementType::kBF16 : ElementType::kF32;
  return {type, stored.sizes().vec(), [stored] {
            return std::span(static_cast<const std::byte*>(stored.const_data_ptr()),
                             static_cast<size_t>(stored.nbytes()));
          }};
}

void check_drift_size(const MarConfig& config, const DecodingPlan& plan, int64_t batch) {
  const int64_t steps = plan.count();
  constexpr int64_t kKinds = 3;
  constexpr int64_t kBytes = 2;
  const int64_t pairs = steps * (steps - 1) / 2;
  if (kKinds * kBytes * pairs * config.rows() > kMostDriftFileBytes) {
    throw usage_error("--record_drift: ", steps, " decoding steps make ",
                      kKinds * kBytes * pairs * config.rows() >> 20, " MiB an image, more than ",
                      kMostDriftFileBytes >> 20, ": use a smaller --num_iter");
  }
  const int64_t each = DriftRecorder::bytes_per_image(config, plan);
  if (batch * each > kMostDriftBytes) {
    throw usage_error("--record_drift: the features of ", batch, " images take ",
                      batch * each >> 20, " MiB of memory, more than ", kMostDriftBytes >> 20,
                      ": use --eval_bsz ", std::max<int64_t>(1, kMostDriftBytes / each));
  }
}

void record_drift(const EvalOptions& options, const ordered_json& settings, const LauncherEnv& env,
                  const RunFolder& run, Generator& generator) {
  const fs::path folder = *options.record_drift;
  if (env.rank == 0) {
    prepare_folder(folder, settings, run.continues(), options.overwrite);
  }
  const MarConfig& config = generator.model().mar.config;
  DriftHeader header;
  header.settings = settings;
  header.masked = masked_rows(generator.plan().steps);
  header.rows = config.rows();
  header.value_layer = std::min(LazyOptions().prune_layer, config.decoder_depth - 1);
  const auto take = [folder, header](int64_t id, int64_t label, const FeatureDrift& changes) {
    DriftHeader of_image = header;
    of_image.image = id;
    of_image.label = label;
    write_image(folder, of_image, changes);
  };
  generator.record_drift({options.num_images, take});
}

void check_recorded(const EvalOptions& options) {
  const fs::path& folder = *options.record_drift;
  int64_t missing = 0;
  for (int64_t id = 0; id < options.num_images; ++id) {
    const bool head = !options.record_head || fs::exists(folder / head_recording_name(id));
    missing += head && fs::exists(folder / drift_file_name(id)) ? 0 : 1;
  }
  if (missing == options.num_images) {
    throw usage_error("--record_drift ", folder.string(),
                      ": nothing was recorded: every image was there already; --overwrite draws",
                      " them again");
  }
  if (missing > 0) {
    log_warning(concat("--record_drift: ", missing, " of ", options.num_images,
                       " images have no features; --overwrite draws them again"));
  }
}

}  // namespace lazymar
