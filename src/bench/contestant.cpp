#include "bench/contestant.h"

#include <ATen/DeviceAccelerator.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "bench/anonymous_memory.h"
#include "bench/gpu_sampler.h"
#include "core/labels.h"
#include "diffusion/head_ops.h"
#include "nn/capture.h"
#include "pipeline/device.h"

namespace lazymar {

Contestant::Contestant(const BenchArm& arm, const std::shared_ptr<const Networks>& model,
                       int64_t batch, const BenchOptions& options, const GpuReader* gpu)
    : generator_(model, resolve_method(arm.method, model->recommended), options.model.seed),
      work_{model->mar.config, model->vae.config, generator_.plan()},
      method_(arm.method.method),
      graphs_(arm.method.cuda_graphs),
      head_blocks_(arm.method.head_blocks),
      gpu_(gpu),
      ids_(static_cast<size_t>(batch)) {
  std::iota(ids_.begin(), ids_.end(), 0);
  std::vector<int64_t> classes(static_cast<size_t>(model->mar.config.class_count));
  std::iota(classes.begin(), classes.end(), 0);
  for (const int64_t id : ids_) {
    labels_.push_back(label_of(id, classes, batch));
  }
  if (options.sample_steps) {
    samples_.emplace(work_, batch, *options.sample_steps);
  }
}

BenchRow Contestant::row() const {
  BenchRow row;
  row.batch = batch();
  row.method = method_;
  row.lazy = work_.plan.method.cache.policy == "lazymar";
  row.num_iter = work_.plan.count();
  row.num_sampling_steps = work_.plan.method.head.front().steps;
  row.measured_steps = samples_ ? samples_->measured_count() : work_.plan.count();
  row.original_flops =
      static_cast<double>(original_flops(work_, batch()).total()) / static_cast<double>(batch());
  return row;
}

void Contestant::run(BenchRow& row) {
  GenerationHooks hooks;
  if (samples_) {
    hooks.wanted = [&](const DecodeStep& step) { return samples_->computed(step); };
    hooks.stepped = [&](const DecodeStep& step, const StageSeconds& seconds, int64_t) {
      if (samples_->measured(step)) {
        samples_->add(step, seconds);
      }
    };
  }
  const auto [made, wall_seconds] = make_batch(hooks, row);
  StageSeconds seconds = made.seconds;
  int64_t flops = made.work.flops;
  if (samples_) {
    const double rest = seconds.total - seconds.encoder - seconds.decoder - seconds.head;
    seconds = samples_->sum();
    seconds.vae = made.seconds.vae;
    seconds.total = seconds.encoder + seconds.decoder + seconds.head + rest;
    flops = FlopFormula(work_).batch(batch()).total();
  }
  const auto images = static_cast<double>(batch());  // what is outside the events passes once
  row.wall_seconds.push_back((seconds.total + (wall_seconds - made.seconds.total)) / images);
  row.runs.push_back({seconds.encoder / images, seconds.decoder / images, seconds.head / images,
                      seconds.vae / images, seconds.total / images});
  row.flops = static_cast<double>(flops) / images;
  row.cache_bytes = generator_.cache_bytes() / batch();
}

std::pair<GeneratedBatch, double> Contestant::make_batch(const GenerationHooks& hooks,
                                                         BenchRow& row) {
  const c10::Device device = generator_.model().mar.class_emb.device();
  enable_capture(graphs_);
  enable_head_blocks(head_blocks_);
  if (device.is_cuda()) {
    reset_peak_memory(device);
  }
  AnonymousMemoryPeak memory;
  GpuSampler sampler(gpu_);
  const auto start = std::chrono::steady_clock::now();
  const Generator::BatchInFlight flight = generator_.start(ids_, labels_, hooks);
  if (device.is_cuda()) {
    at::accelerator::synchronizeDevice(device.index());  // finish() polls only now and then
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const std::vector<GpuState> states = sampler.finish();
  row.gpu_states.insert(row.gpu_states.end(), states.begin(), states.end());
  row.peak_anonymous = std::max(row.peak_anonymous, memory.bytes());
  if (device.is_cuda()) {
    peak_device_ = std::max(peak_device_, device_memory(device).peak);
  }
  GeneratedBatch made = Generator::finish(flight);
  const double seconds = device.is_cpu() ? made.seconds.total : wall.count();
  return {std::move(made), seconds};
}

}  // namespace lazymar
