#pragma once
/// What a run knows of its weights: their hashes, some time after the start.

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "pipeline/model_files.h"
#include "run/run_folder.h"

namespace lazymar {

/// Hashes in the background, compares with the run's manifest, and tells PNGs. For several threads.
class RunWeights {
 public:
  /// `hash`: begin at once. `may_note`: write into the manifest what is found in passing. Model and
  /// folder must outlive it.
  RunWeights(const Model& model, const RunFolder& folder, bool hash, bool may_note);

  /// Compares the hashes with the manifest's, or notes them there, once they are known; does
  /// nothing while somebody waits for them. Throws Error (usage) where they differ.
  void settle_if_ready();
  /// The same at once. `begin`: hash, too, where nobody has begun.
  void settle_now(bool begin);
  /// This process's own hashes, those that another process has noted, or else made now: the first
  /// call may take as long as reading all weights does (2 GB/s from memory).
  nlohmann::ordered_json get();

 private:
  void settle(bool may_note);
  nlohmann::ordered_json json() {
    return {{"mar", hashes_->mar.get()}, {"vae", hashes_->vae.get()}};
  }

  const Model& model_;
  const RunFolder& folder_;
  bool may_note_;
  std::mutex mutex_;  ///< of the rest
  std::optional<WeightHashes> hashes_;
  nlohmann::ordered_json told_;
  bool settled_ = false;
};

}  // namespace lazymar
