#include "pipeline/generator.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "cache/policies.h"
#include "core/error.h"
#include "nn/capture.h"
#include "pipeline/device.h"
#include "pipeline/device_clock.h"
#include "vae/pixels.h"

namespace lazymar {
namespace {

/// Times the sampler's stages. It never waits before finish(). Guests also observe; their time is
/// not counted.
class StageTimer final : public SampleObserver {
 public:
  StageTimer(DeviceClock& clock, size_t count, const GenerationHooks& hooks,
             std::vector<SampleObserver*> guests)
      : clock_(clock), count_(count), hooks_(hooks), guests_(std::move(guests)) {}

  bool wants(const DecodeStep& step) override { return hooks_.wanted(step); }
  void begins(const MarBatch& batch) override {
    for (SampleObserver* guest : guests_) {
      guest->begins(batch);
    }
  }
  void step_begins(const DecodeStep& step) override {
    look_around();
    steps_.push_back({step, {}, 0});
    flops_before_ = work_count().flops;
    last_ = clock_.note();
    step_begins_.push_back(last_);
  }
  void encoded(const DecodeStep&) override { lap(&StageSeconds::encoder); }
  void conditioned(const DecodeStep& step, const at::Tensor& z) override {
    lap(&StageSeconds::decoder);
    visit([&](SampleObserver& guest) { guest.conditioned(step, z); });
  }
  void sampled(const DecodeStep& step, const at::Tensor& tokens) override {
    lap(&StageSeconds::head);
    visit([&](SampleObserver& guest) { guest.sampled(step, tokens); });
  }

  /// Reports the device's progress to the hook.
  void look_around() {
    const size_t passed = clock_.passed();
    while (steps_done_ < step_begins_.size() && step_begins_[steps_done_] < passed) {
      ++steps_done_;
    }
    hooks_.step(static_cast<double>(steps_done_) / static_cast<double>(count_));
  }

  /// Waits until the device has passed `moment`, calling the hook meanwhile.
  void wait_for(size_t moment) {
    constexpr std::chrono::milliseconds kPause(1);
    constexpr int kPausesBetweenLooks = 200;
    for (int pauses = 1; clock_.passed() <= moment; ++pauses) {
      std::this_thread::sleep_for(kPause);
      if (pauses % kPausesBetweenLooks == 0) {
        look_around();
      }
    }
  }

  /// Once the device has passed all laps: adds up their times, by stage and by step. Returns the
  /// guests' seconds.
  double finish(StageSeconds& seconds, std::vector<StepCost>& steps) {
    for (const Lap& lap : laps_) {
      steps_[lap.step].seconds.*lap.stage += clock_.seconds(lap.from, lap.to);
    }
    for (const Step& step : steps_) {
      seconds += step.seconds;
      steps.push_back(
          {step.seconds.encoder + step.seconds.decoder + step.seconds.head, step.flops});
      hooks_.stepped(step.step, step.seconds, step.flops);
    }
    double guests = 0.0;
    for (const auto& [from, to] : guest_visits_) {
      guests += clock_.seconds(from, to);
    }
    return guests;
  }

 private:
  struct Step {
    DecodeStep step;
    StageSeconds seconds;
    int64_t flops = 0;
  };
  struct Lap {
    size_t from, to, step;
    double StageSeconds::*stage;
  };

  void lap(double StageSeconds::*stage) {
    const size_t now = clock_.note();
    laps_.push_back({last_, now, steps_.size() - 1, stage});
    steps_.back().flops = work_count().flops - flops_before_;
    last_ = now;
  }

  template <typename Call>
  void visit(const Call& call) {
    if (guests_.empty()) {
      return;
    }
    for (SampleObserver* guest : guests_) {
      call(*guest);
    }
    const size_t now = clock_.note();
    guest_visits_.emplace_back(last_, now);
    last_ = now;
  }

  DeviceClock& clock_;
  size_t count_;
  const GenerationHooks& hooks_;
  std::vector<SampleObserver*> guests_;
  std::vector<Step> steps_;
  std::vector<Lap> laps_;
  std::vector<std::pair<size_t, size_t>> guest_visits_;  ///< from and to
  std::vector<size_t> step_begins_;                      ///< moments
  size_t steps_done_ = 0;
  size_t last_ = 0;
  int64_t flops_before_ = 0;
};

/// images [B, 3, H, W] from the VAE -> by image: finite, and not all of one colour; on their
/// device.
at::Tensor are_sound(const at::Tensor& images) {
  const auto range = [](const at::Tensor& values) {
    return at::amax(values, 1) - at::amin(values, 1);  // not finite if one value is not
  };
  const at::Tensor values = images.flatten(1);
  return range(values).isfinite().logical_and(range(values.clamp(-1, 1)) > 0);
}

}  // namespace

Generator::Generator(std::shared_ptr<const Networks> model, const DecodingMethod& method,
                     uint64_t seed)
    : model_(std::move(model)),
      plan_(make_plan(model_->mar.config, method)),
      runner_(policy_of(plan_).make_runner(model_->mar.config, plan_)),
      head_runner_(policy_of(plan_).make_head_runner(plan_)),
      sampler_(model_->mar, plan_),
      copies_(model_->mar.class_emb.device()),
      seed_(seed) {}

/// A batch whose work has been queued on the device.
struct Generator::InFlight {
  InFlight(Recorders observers, c10::Device device, size_t steps, const GenerationHooks& what)
      : recorders(std::move(observers)),
        hooks(what),
        clock(device),
        timer(clock, steps, hooks, guests()) {}

  std::vector<SampleObserver*> guests() const {
    std::vector<SampleObserver*> all{recorders.drift.get(), recorders.head.get()};
    std::erase(all, nullptr);
    return all;
  }

  Recorders recorders;
  GenerationHooks hooks;
  DeviceClock clock;
  StageTimer timer;
  size_t start = 0, sampled = 0, end = 0;  ///< moments
  at::Tensor sound;                        ///< [B] bool, on the CPU
  GeneratedBatch batch;
};

Generator::BatchInFlight Generator::start(const std::vector<int64_t>& ids,
                                          const std::vector<int64_t>& labels,
                                          const GenerationHooks& hooks) {
  work_count() = {};
  const auto flight = std::make_shared<InFlight>(recorders_of(ids), model_->mar.class_emb.device(),
                                                 plan_.steps.size(), hooks);
  flight->start = flight->clock.note();
  HeadRecorder* head = flight->recorders.head.get();
  const at::Tensor sampled =
      sample(ids, labels, head != nullptr ? *head : *head_runner_, flight->timer);
  flight->sampled = flight->clock.note();
  at::Tensor images = model_->vae.decode(sampled);
  hooks.decoded(images);
  const at::Tensor sound = are_sound(images);
  const at::Tensor pixels = to_bytes(images);
  copies_.run([&] {
    flight->sound = brought_here(sound);
    flight->batch.pixels = brought_here(pixels);
    flight->end = flight->clock.note();
  });
  flight->batch.work = work_count();
  const auto hand_over = [&](const auto& recorded, const auto& take) {
    for (size_t slot = 0; slot < recorded.size(); ++slot) {
      take(ids[slot], labels[slot], recorded[slot]);
    }
  };
  if (flight->recorders.drift) {
    hand_over(flight->recorders.drift->changes(), drift_->take);
  }
  if (head != nullptr) {
    hand_over(head->features(), head_->take);
  }
  return flight;
}

at::Tensor Generator::sample(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                             HeadRunner& head, SampleObserver& observer) {
  PhiloxNoise noise(seed_, ids);
  const at::Tensor classes = at::tensor(labels, c10::kLong);
  return unpatchify(sampler_.sample(*runner_, head, classes, noise, observer), model_->patch_size);
}

at::Tensor Generator::latents(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                              const GenerationHooks& hooks) {
  work_count() = {};
  DeviceClock clock(model_->mar.class_emb.device());
  StageTimer timer(clock, plan_.steps.size(), hooks, /*guests=*/{});
  return sample(ids, labels, *head_runner_, timer);
}

GeneratedBatch Generator::finish(const BatchInFlight& flight) {
  flight->timer.wait_for(flight->end);
  GeneratedBatch& batch = flight->batch;
  const double guest_seconds = flight->timer.finish(batch.seconds, batch.steps);
  for (int64_t image = 0; image < flight->sound.numel(); ++image) {
    batch.sound.push_back(flight->sound.const_data_ptr<bool>()[image]);
  }
  batch.seconds.vae = flight->clock.seconds(flight->sampled, flight->end);
  batch.seconds.total = flight->clock.seconds(flight->start, flight->end) - guest_seconds;
  return std::move(batch);
}

void Generator::record_head(HeadRecording recording) {
  if (can_capture(model_->mar.class_emb.device().type())) {
    throw usage_error("features of the head cannot be recorded from CUDA graphs",
                      "; add --cuda_graphs off");
  }
  head_ = std::move(recording);
}

Generator::Recorders Generator::recorders_of(const std::vector<int64_t>& ids) const {
  const auto below = [&](int64_t limit) {
    return std::count_if(ids.begin(), ids.end(), [&](int64_t id) { return id < limit; });
  };
  Recorders recorders;
  if (const int64_t count = drift_ ? below(drift_->num_images) : 0; count > 0) {
    recorders.drift =
        std::make_unique<DriftRecorder>(model_->mar, plan_, count, LazyOptions().prune_layer);
  }
  if (const int64_t count = head_ ? below(head_->num_images) : 0; count > 0) {
    recorders.head =
        std::make_unique<HeadRecorder>(model_->mar.head, *head_runner_, head_->tokens, count);
  }
  return recorders;
}

void Generator::release_unused_memory() {
  sampler_.forget_captures();
  lazymar::release_unused_memory(model_->mar.class_emb.device());
}

WorkCount Generator::baseline_work() const {
  const MarConfig& config = model_->mar.config;
  WorkCount rows;
  for (const DecodeStep& step : plan_.steps) {
    rows.block_rows += plan_.halves() * ((config.rows() - step.masked) * config.encoder_depth +
                                         config.rows() * config.decoder_depth);
    for (const HeadPart& part : head_parts(step)) {
      rows.head_rows += plan_.halves() * part.tokens * config.head_depth *
                        plan_.head_schedules[static_cast<size_t>(part.schedule)].steps();
    }
  }
  return rows;
}

}  // namespace lazymar
