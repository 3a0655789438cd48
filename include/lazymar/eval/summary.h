#pragma once
/// What a run measured, for people and for scripts (info/summary.json).

#include <cstdint>
#include <string>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/eval/generator.h"

namespace lazymar {

/// One block as it went.
struct BlockRecord {
  int64_t images = 0;  ///< written; the last block's slots may be more
  int64_t slots = 0;   ///< computed
  StageSeconds seconds;
  double png_seconds = 0.0;
  WorkCount work;
};

/// Everything the summary tells.
struct RunSummary {
  bool complete = false;
  std::string model, mar_source, vae_source, device, precision;
  std::string mar_hash, vae_hash;  ///< empty: not known yet
  int64_t threads = 0;
  int64_t num_images = 0;  ///< wanted
  int64_t eval_bsz = 0;
  uint64_t seed = 0;
  SamplingOptions sampling;
  std::optional<LazyOptions> lazy;
  int64_t lazy_steps = 0;
  WorkCount baseline_rows;  ///< of one image, by plain MAR
  double wall_seconds = 0.0;
  std::vector<BlockRecord> blocks;
};

/// Median over the full blocks after the first of wall time / images, VAE included, PNG excluded;
/// 0 without a block. With nothing after the first, that block is taken.
double seconds_per_image(const RunSummary& summary);

/// summary.json's text.
std::string summary_json(const RunSummary& summary);

/// A few lines for the end of a run.
std::string summary_text(const RunSummary& summary);

}  // namespace lazymar
