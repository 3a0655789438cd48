#pragma once
/// The results of a run, for people and for scripts (info/summary.json).

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nn/flops.h"
#include "run/journal.h"

namespace lazymar {

/// Everything in the summary.
struct RunSummary {
  bool checked = false;             ///< every shard is finished, and its files are undamaged
  std::string launch;               ///< of the process that wrote it
  std::vector<int64_t> failed;      ///< ids without a usable result
  nlohmann::ordered_json settings;  ///< the manifest's
  nlohmann::ordered_json weights;   ///< their hashes; null if not known yet
  std::string mar_source, vae_source, device;
  int64_t num_images = 0;  ///< size of the set
  std::string step_kinds;  ///< "FFFLLF": by decoding step, full or lazy
  int64_t threads = 0;
  std::string kernels, graphs;          ///< of this process's GPU; empty on CPUs
  nlohmann::ordered_json device_check;  ///< one entry per compared operation; null on CPUs
  int64_t peak_device_bytes = 0;  ///< peak memory of this process's tensors on its GPU; 0 on CPUs
  WorkCount baseline_rows;        ///< of one image, by plain MAR
  std::vector<ShardRecord> shards;
};

/// summary.json's text.
std::string summary_json(const RunSummary& summary);

/// A few lines printed at the end of a run.
std::string summary_text(const RunSummary& summary);

}  // namespace lazymar
