#include "launches/counted_batch.h"

#include <ATen/ATen.h>

#include <memory>
#include <numeric>

#include "cache/policies.h"
#include "core/error.h"
#include "core/labels.h"
#include "core/text.h"
#include "diffusion/head_ops.h"
#include "launches/aten_launches.h"
#include "launches/shape_ops.h"
#include "mar/sampler.h"
#include "nn/capture.h"
#include "vae/pixels.h"

namespace lazymar {
namespace {

/// Weights of every shape that is asked for.
class WeightShapes final : public WeightSource {
 public:
  explicit WeightShapes(Precision precision) : WeightSource({precision, c10::kMeta}) {}

  at::Tensor get(const std::string& /*name*/, const std::vector<int64_t>& shape) override {
    return at::empty(shape, at::TensorOptions(placement().device).dtype(placement().dtype()));
  }
  void finish(const std::vector<std::string>& /*skipped*/) override {}
};

/// Sorts what is noted by steps and their parts.
class StepNotes final : public SampleObserver {
 public:
  explicit StepNotes(BatchLaunches& batch) : batch_(batch) {}

  void step_begins(const DecodeStep& step) override {
    batch_.steps.push_back({!step.partial(), {}, {}, {}});
    current_log() = &batch_.steps.back().encoder;
  }
  void encoded(const DecodeStep&) override { current_log() = &batch_.steps.back().decoder; }
  void conditioned(const DecodeStep&, const at::Tensor&) override {
    current_log() = &batch_.steps.back().head;
  }

 private:
  BatchLaunches& batch_;
};

LaunchLog sum(std::initializer_list<const LaunchLog*> parts) {
  LaunchLog all;
  for (const LaunchLog* part : parts) {
    all += *part;
  }
  return all;
}

/// Switches as asked for, and no comparison of what graphs replay.
class Switches {
 public:
  explicit Switches(const CountedBatch& batch) : checked_(checks_replays()) {
    enable_capture(batch.graphs);
    enable_head_blocks(batch.head_blocks);
    enable_replay_check(false);
  }
  ~Switches() {
    enable_capture(true);
    enable_head_blocks(true);
    enable_replay_check(checked_);
  }
  Switches(const Switches&) = delete;
  Switches& operator=(const Switches&) = delete;

 private:
  bool checked_;
};

}  // namespace

LaunchLog StepLaunches::total() const {
  return sum({&encoder, &decoder, &head});
}

LaunchLog BatchLaunches::total() const {
  LaunchLog all = sum({&outside, &vae});
  for (const StepLaunches& step : steps) {
    all += step.total();
  }
  return all;
}

BatchLaunches count_launches(const CountedBatch& batch) {
  const ShapeOps kernels;
  const AtenLaunches library;
  const Switches switches(batch);
  unknown_operations().clear();

  WeightShapes weights(batch.precision);
  const Mar mar = load_mar(weights, batch.shape.mar);
  const KlDecoder vae = load_kl_decoder(weights, batch.shape.vae);
  const DecodingPlan plan = make_plan(batch.shape.mar, batch.method);
  const std::unique_ptr<Runner> runner = policy_of(plan).make_runner(batch.shape.mar, plan);
  const std::unique_ptr<HeadRunner> head = policy_of(plan).make_head_runner(plan);
  Sampler sampler(mar, plan);
  std::vector<int64_t> ids(static_cast<size_t>(batch.images));
  std::iota(ids.begin(), ids.end(), 0);
  PhiloxNoise noise(/*seed=*/0, ids);
  const at::Tensor labels = at::remainder(at::tensor(ids), batch.shape.mar.class_count);

  SampleObserver nobody;
  sampler.sample(*runner, *head, labels, noise, nobody);  // makes tables and captures
  BatchLaunches counted;
  StepNotes notes(counted);
  const NoteIn everything(&counted.outside);
  const at::Tensor tokens = sampler.sample(*runner, *head, labels, noise, notes);
  current_log() = &counted.outside;
  const at::Tensor latents = unpatchify(tokens, batch.shape.patch_size);
  current_log() = &counted.vae;
  to_bytes(vae.decode(latents));
  if (!unknown_operations().empty()) {
    throw Error(ErrorKind::kInternal,
                concat("it is not known what these launch: ",
                       join({unknown_operations().begin(), unknown_operations().end()}, ", ")));
  }
  return counted;
}

}  // namespace lazymar
