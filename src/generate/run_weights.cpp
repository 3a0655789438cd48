#include "generate/run_weights.h"

namespace lazymar {

RunWeights::RunWeights(const Networks& model, const RunFolder& folder, bool hash, bool may_note)
    : model_(model), folder_(folder), may_note_(may_note) {
  if (hash) {
    hashes_.emplace(model_);
  }
}

void RunWeights::settle_if_ready() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock && hashes_ && hashes_->mar.ready() && hashes_->vae.ready()) {
    settle(may_note_);
  }
}

void RunWeights::settle_now(bool begin) {
  const std::lock_guard lock(mutex_);
  if (begin && !hashes_) {
    hashes_.emplace(model_);
  }
  if (hashes_) {
    settle(/*may_note=*/true);
  }
}

void RunWeights::settle(bool may_note) {
  if (!settled_) {
    folder_.settle_weights(json(), may_note);
    settled_ = true;
  }
}

nlohmann::ordered_json RunWeights::get() {
  const std::lock_guard lock(mutex_);
  if (told_.is_null() && !hashes_) {
    told_ = folder_.weights();
  }
  if (told_.is_null()) {
    if (!hashes_) {
      hashes_.emplace(model_);
    }
    told_ = json();
  }
  return told_;
}

}  // namespace lazymar
