#pragma once
/// Labels and image ids in, pixels out: the networks and their settings behind one call.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/eval/model_files.h"
#include "lazymar/eval/runners.h"
#include "lazymar/mar/feature_recorder.h"
#include "lazymar/mar/sampler.h"
#include "lazymar/nn/flops.h"
#include "lazymar/nn/transfer.h"
#include "lazymar/run/journal.h"

namespace lazymar {

/// A block of images as it was made.
struct GeneratedBlock {
  at::Tensor pixels;  ///< [B, H, W, 3] uint8, on the CPU
  /// By slot: every value finite, and not all pixels of one colour.
  std::vector<bool> sound;
  StageSeconds seconds;
  std::vector<StepCost> steps;  ///< VAE excluded
  WorkCount work;
};

/// Where others look on while a block is made.
struct GenerationHooks {
  /// Before each decoding step, with the share of the steps that is done. May throw.
  std::function<void(double)> step = [](double) {};
  /// Once the VAE has decoded: images [B, 3, H, W], which may be changed.
  std::function<void(at::Tensor&)> decoded = [](at::Tensor&) {};
  /// Which decoding steps are computed: see SampleObserver::wants().
  std::function<bool(const DecodeStep&)> wanted = [](const DecodeStep&) { return true; };
  /// After each decoding step: what its stages took (no VAE, no total), and FLOPs executed.
  std::function<void(const DecodeStep&, const StageSeconds&, int64_t)> stepped =
      [](const DecodeStep&, const StageSeconds&, int64_t) {};
};

/// Who wants to know what the features of images did.
struct FeatureRecording {
  int64_t num_images = 0;  ///< of the set: ids from here on pad a block and are left out
  /// An image's changes, before its block is handed over. May throw.
  std::function<void(int64_t id, int64_t label, const FeatureChanges&)> take;
};

class Generator {
 public:
  Generator(std::shared_ptr<const Model> model, const SamplingOptions& sampling,
            const std::optional<LazyOptions>& lazy, uint64_t seed);

  /// Image i of the set, for each id, with its class: both vectors have the block's size.
  GeneratedBlock generate(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                          const GenerationHooks& hooks = {}) {
    return finish(start(ids, labels, hooks));
  }

  /// The same in two parts. A GPU has the block's work in its queue when start() returns, the copy
  /// of the pixels included, and the next block can be started behind it; a CPU has done it.
  struct InFlight;
  using BlockInFlight = std::shared_ptr<InFlight>;
  BlockInFlight start(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                      const GenerationHooks& hooks);
  /// Waits for it, calling hooks.step meanwhile.
  static GeneratedBlock finish(const BlockInFlight& block);
  /// True where starting the next block before finishing the last one keeps the device busy.
  bool overlaps() const { return !model_->mar.class_emb.is_cpu(); }

  /// Gives memory that is kept for later batches back to the device.
  void release_unused_memory();

  /// From here on, features of all images are recorded. Only for plain MAR.
  void record_features(FeatureRecording recording) { recording_ = std::move(recording); }

  const Model& model() const { return *model_; }
  const std::vector<DecodeStep>& plan() const { return sampler_.plan(); }
  /// By decoding step of a batch: is it lazy?
  const std::vector<bool>& lazy_steps() const { return runners_.lazy_steps; }
  /// What plain MAR would execute for one image: rows through blocks of transformer and head.
  WorkCount baseline_rows() const;

 private:
  /// Null where none of these images is recorded.
  std::unique_ptr<FeatureRecorder> recorder_of(const std::vector<int64_t>& ids) const;

  std::shared_ptr<const Model> model_;  ///< the sampler refers to it
  SamplingOptions sampling_;
  Sampler sampler_;
  Runners runners_;
  SideQueue copies_;  ///< of finished images, to the host
  uint64_t seed_;
  std::optional<FeatureRecording> recording_;
};

}  // namespace lazymar
