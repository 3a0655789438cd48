#include "lazymar/eval/generator.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "lazymar/eval/device.h"
#include "lazymar/mar/runner_decorator.h"

namespace lazymar {
namespace {

using Clock = std::chrono::steady_clock;

/// Reads the clock once the device has done all it was given.
Clock::time_point settled(c10::Device device) {
  synchronize(device);
  return Clock::now();
}

double between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// Stands around a Runner and watches the sampler: who spends the time? A guest watches too; what
/// it takes counts nowhere.
class StageTimer final : public RunnerDecorator, public SampleObserver {
 public:
  StageTimer(Runner& runner, c10::Device device, const std::vector<DecodeStep>& plan,
             const GenerationHooks& hooks, SampleObserver* guest)
      : RunnerDecorator(runner),
        device_(device),
        count_(plan.size()),
        hooks_(hooks),
        guest_(guest) {}

  StageSeconds seconds;
  double guest_seconds = 0.0;
  std::vector<StepCost> steps;

  at::Tensor decode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override {
    lap(&StageSeconds::encoder);
    return RunnerDecorator::decode(blocks, inputs, step);
  }

  bool wants(const DecodeStep& step) override { return hooks_.wanted(step); }
  void step_begins(const DecodeStep& step) override {
    hooks_.step(static_cast<double>(step.index) / static_cast<double>(count_));
    steps.emplace_back();
    of_step_ = {};
    flops_before_ = work_count().flops;
    last_ = settled(device_);
  }
  void conditioned(const DecodeStep& step, const at::Tensor& z) override {
    lap(&StageSeconds::decoder);
    if (guest_ != nullptr) {
      guest_->conditioned(step, z);
      const auto now = settled(device_);
      guest_seconds += between(last_, now);
      last_ = now;
    }
    if (step.predicted() == 0) {
      finish(step);
    }
  }
  void sampled(const DecodeStep& step, const at::Tensor&) override {
    lap(&StageSeconds::head);
    finish(step);
  }

 private:
  void lap(double StageSeconds::*stage) {
    const auto now = settled(device_);
    of_step_.*stage += between(last_, now);
    steps.back().seconds += between(last_, now);
    steps.back().flops = work_count().flops - flops_before_;
    last_ = now;
  }
  void finish(const DecodeStep& step) {
    seconds += of_step_;
    hooks_.stepped(step, of_step_, steps.back().flops);
  }

  c10::Device device_;
  size_t count_;
  const GenerationHooks& hooks_;
  SampleObserver* guest_;
  Clock::time_point last_;
  StageSeconds of_step_;
  int64_t flops_before_ = 0;
};

}  // namespace

Generator::Generator(std::shared_ptr<const Model> model, const SamplingOptions& sampling,
                     const std::optional<LazyOptions>& lazy, uint64_t seed)
    : model_(std::move(model)),
      sampling_(sampling),
      sampler_(model_->mar, sampling),
      runners_(make_runners(lazy, model_->mar.config, sampling)),
      seed_(seed) {}

GeneratedBlock Generator::generate(const std::vector<int64_t>& ids,
                                   const std::vector<int64_t>& labels,
                                   const GenerationHooks& hooks) {
  const c10::Device device = model_->mar.class_emb.device();
  work_count() = {};
  const auto start = settled(device);
  PhiloxNoise noise(seed_, ids);
  std::optional<FeatureRecorder> recorder;
  if (const int64_t recorded = recorded_images(ids); recorded > 0) {
    recorder.emplace(*runners_.blocks, model_->mar, sampler_.plan(), recorded,
                     LazyOptions().prune_layer);
  }
  StageTimer timer(recorder ? static_cast<Runner&>(*recorder) : *runners_.blocks, device,
                   sampler_.plan(), hooks, recorder ? &*recorder : nullptr);
  const at::Tensor classes = at::tensor(labels, c10::kLong).to(device);
  const at::Tensor tokens = sampler_.sample(timer, *runners_.head, classes, noise, timer);
  const auto sampled = settled(device);
  GeneratedBlock block;
  at::Tensor images = model_->vae.decode(unpatchify(tokens, model_->patch_size));
  hooks.decoded(images);
  block.sound = sound_images(images);
  block.pixels = to_pixels(images);
  const auto end = Clock::now();
  block.seconds = timer.seconds;
  block.steps = std::move(timer.steps);
  block.seconds.vae = between(sampled, end);
  block.seconds.total = between(start, end) - timer.guest_seconds;
  block.work = work_count();
  if (recorder) {
    const std::vector<FeatureChanges> changes = recorder->changes();
    for (size_t slot = 0; slot < changes.size(); ++slot) {
      recording_->take(ids[slot], labels[slot], changes[slot]);
    }
  }
  return block;
}

int64_t Generator::recorded_images(const std::vector<int64_t>& ids) const {
  if (!recording_) {
    return 0;
  }
  return std::count_if(ids.begin(), ids.end(),
                       [this](int64_t id) { return id < recording_->num_images; });
}

std::vector<bool> sound_images(const at::Tensor& images) {
  const auto range = [](const at::Tensor& values) {
    return at::amax(values, 1) - at::amin(values, 1);  // not finite where one value is not
  };
  const at::Tensor values = images.flatten(1);
  const at::Tensor sound =
      range(values).isfinite().logical_and(range(values.clamp(-1, 1)) > 0).to(c10::kCPU);
  std::vector<bool> result;
  for (int64_t image = 0; image < sound.numel(); ++image) {
    result.push_back(sound.const_data_ptr<bool>()[image]);
  }
  return result;
}

WorkCount Generator::baseline_rows() const {
  const MarConfig& config = model_->mar.config;
  const int64_t halves = sampling_.guided() ? 2 : 1;
  WorkCount rows;
  for (const DecodeStep& step : sampler_.plan()) {
    rows.block_rows += halves * ((config.rows() - step.masked) * config.encoder_depth +
                                 config.rows() * config.decoder_depth);
    rows.head_rows += halves * step.predicted() * sampling_.num_sampling_steps * config.head_depth;
  }
  return rows;
}

}  // namespace lazymar
