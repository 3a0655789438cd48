#pragma once
/// From labels and image ids to pixels: the networks and their settings in one call.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/cost.h"
#include "mar/drift_recorder.h"
#include "mar/head_recorder.h"
#include "mar/sampler.h"
#include "method/decoding_plan.h"
#include "nn/flops.h"
#include "nn/transfer.h"
#include "pipeline/model_files.h"

namespace lazymar {

/// A generated batch of images.
struct GeneratedBatch {
  at::Tensor pixels;  ///< [B, H, W, 3] uint8, on the CPU
  /// [B]: whether every value is finite, and the pixels are not all of one colour.
  std::vector<bool> sound;
  StageSeconds seconds;
  std::vector<StepCost> steps;  ///< VAE excluded
  WorkCount work;
};

/// Hooks that are called while a batch is generated.
struct GenerationHooks {
  /// Before each decoding step, with the share of the steps that is done. May throw.
  std::function<void(double)> step = [](double) {};
  /// Once the VAE has decoded: images [B, 3, H, W], which may be changed.
  std::function<void(at::Tensor&)> decoded = [](at::Tensor&) {};
  /// Selects the decoding steps to compute: see SampleObserver::wants().
  std::function<bool(const DecodeStep&)> wanted = [](const DecodeStep&) { return true; };
  /// After each decoding step: time of its stages (no VAE, no total), and executed FLOPs.
  std::function<void(const DecodeStep&, const StageSeconds&, int64_t)> stepped =
      [](const DecodeStep&, const StageSeconds&, int64_t) {};
};

/// Where the drift of images goes: how transformer rows change between decoding steps.
struct DriftRecording {
  int64_t num_images = 0;  ///< of the set: larger ids only pad a batch and are not recorded
  /// Called with an image's drift before its batch is returned. May throw.
  std::function<void(int64_t id, int64_t label, const FeatureDrift&)> take;
};

/// Where features of the head go.
struct HeadRecording {
  int64_t num_images = 0;  ///< as above
  std::vector<RecordedToken> tokens;
  /// Called during generate() with an image's id, its label and its features.
  std::function<void(int64_t id, int64_t label, const HeadFeatures&)> take;
};

class Generator {
 public:
  /// Makes the method's plan. Throws Error (usage) for unknown names and numbers out of range.
  Generator(std::shared_ptr<const Networks> model, const DecodingMethod& method, uint64_t seed);

  /// Image i of the set, for each id, with its class: both vectors have the batch's size.
  GeneratedBatch generate(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                          const GenerationHooks& hooks = {}) {
    return finish(start(ids, labels, hooks));
  }

  /// Only the latents, [B, C, h, w] on the model's device: what the VAE would decode.
  at::Tensor latents(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                     const GenerationHooks& hooks = {});

  /// From now on, images are those of this seed.
  void set_seed(uint64_t seed) { seed_ = seed; }

  /// generate() in two parts. On a GPU, all work including the copy of the pixels is queued when
  /// start() returns, and the next batch can be started. On a CPU, it is done.
  struct InFlight;
  using BatchInFlight = std::shared_ptr<InFlight>;
  BatchInFlight start(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                      const GenerationHooks& hooks);
  /// Waits for the batch, calling hooks.step meanwhile.
  static GeneratedBatch finish(const BatchInFlight& batch);
  /// True if starting the next batch before finishing the last one keeps the device busy.
  bool overlaps() const { return !model_->mar.class_emb.is_cpu(); }

  /// Gives memory back to the device that is held for later batches.
  void release_unused_memory();

  /// From now on, records the drift of all images. Only for plain MAR.
  void record_drift(DriftRecording recording) { drift_ = std::move(recording); }
  /// The same for the head's features. Throws Error (usage) if the device captures.
  void record_head(HeadRecording recording);

  const Networks& model() const { return *model_; }
  const DecodingPlan& plan() const { return plan_; }
  /// Work of one image without a cache: rows through blocks of transformer and head.
  WorkCount baseline_work() const;
  /// What the caches hold, once a batch is generated; the head's for its last decoding step.
  int64_t cache_bytes() const { return runner_->kept_bytes() + head_runner_->kept_bytes(); }

 private:
  at::Tensor sample(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                    HeadRunner& head, SampleObserver& observer);
  /// Observers of a batch; null if none of its images is recorded.
  struct Recorders {
    std::unique_ptr<DriftRecorder> drift;
    std::unique_ptr<HeadRecorder> head;
  };
  Recorders recorders_of(const std::vector<int64_t>& ids) const;

  std::shared_ptr<const Networks> model_;  ///< the sampler refers to it
  DecodingPlan plan_;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<HeadRunner> head_runner_;
  Sampler sampler_;
  SideQueue copies_;  ///< of finished images, to the host
  uint64_t seed_;
  std::optional<DriftRecording> drift_;
  std::optional<HeadRecording> head_;
};

}  // namespace lazymar
