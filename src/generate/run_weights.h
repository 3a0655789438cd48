#pragma once
/// The hashes of a run's weights, known some time after the start.

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "pipeline/model_files.h"
#include "run/run_folder.h"

namespace lazymar {

/// Hashes the weights in the background, compares with the run's manifest, and supplies the hashes
/// for PNGs. Thread-safe.
class RunWeights {
 public:
  /// `hash`: begin at once. `may_note`: may write the hashes to the manifest. Model and folder must
  /// outlive it.
  RunWeights(const Networks& model, const RunFolder& folder, bool hash, bool may_note);

  /// Compares the hashes with the manifest's, or writes them there, once they are known; does
  /// nothing while another thread waits for them. Throws Error (usage) if they differ.
  void settle_if_ready();
  /// The same, but waits. `begin`: start hashing if it has not begun.
  void settle_now(bool begin);
  /// This process's hashes, those in the manifest, or else computed now: the first call may take as
  /// long as reading all weights (2 GB/s from memory).
  nlohmann::ordered_json get();

 private:
  void settle(bool may_note);
  nlohmann::ordered_json json() {
    return {{"mar", hashes_->mar.get()}, {"vae", hashes_->vae.get()}};
  }

  const Networks& model_;
  const RunFolder& folder_;
  bool may_note_;
  std::mutex mutex_;  ///< of the rest
  std::optional<WeightHashes> hashes_;
  nlohmann::ordered_json told_;
  bool settled_ = false;
};

}  // namespace lazymar
