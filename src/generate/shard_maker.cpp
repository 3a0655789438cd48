#include "generate/shard_maker.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>
#include <new>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/labels.h"
#include "core/log.h"
#include "nn/capture.h"
#include "pipeline/device.h"

namespace lazymar {

ShardMaker::ShardMaker(const EvalOptions& options, const ShardPlan& plan,
                       std::vector<int64_t> classes, Generator& generator,
                       const FaultInjection& faults)
    : halve_on_oom_(options.halve_on_oom),
      plan_(plan),
      classes_(std::move(classes)),
      generator_(generator),
      faults_(faults) {}

ShardMaker::Started ShardMaker::start(ShardRecord record, const StepCallback& step) {
  Started shard;
  shard.record = std::move(record);
  shard.step = step;
  // Every shard has the same shape: the last one is padded with images that are discarded.
  shard.ids.resize(static_cast<size_t>(plan_.shard_size()));
  std::iota(shard.ids.begin(), shard.ids.end(), plan_.ids(shard.record.shard).first);
  shard.record.slots = plan_.shard_size();
  const auto whole = plan_.shard_size();
  // After two consecutive shards that did not fit, the next one is not tried whole.
  shard.micro_batch = short_shards_ < 2 ? whole : micro_batch_;
  while (true) {
    try {
      if (faults_.strikes(FaultKind::kOutOfMemory, shard.record.shard)) {
        throw std::bad_alloc();
      }
      start_parts(shard);
      short_shards_ = shard.micro_batch < whole ? short_shards_ + 1 : 0;
      if (shard.micro_batch < whole) {
        shard.record.micro_batch = micro_batch_ = shard.micro_batch;
      }
      return shard;
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error) || shard.micro_batch == 1) {
        throw;
      }
      if (!halve_on_oom_) {
        throw usage_error("shard ", shard.record.shard, ": out of memory with ", shard.micro_batch,
                          " images at a time; use a smaller --eval_bsz, or --oom halve");
      }
    }
    shard.parts.clear();
    generator_.release_unused_memory();
    shard.micro_batch = (shard.micro_batch + 1) / 2;
    log_warning(
        concat("shard ", shard.record.shard, ": out of memory; continuing with ", shard.micro_batch,
               " images at a time, which may change their last bits (--oom fail stops instead)"));
  }
}

GeneratedBatch ShardMaker::finish(Started& shard) {
  GeneratedBatch made = finish_parts(shard);
  recompute(shard, made);
  return made;
}

void ShardMaker::start_parts(Started& shard) {
  const auto count = static_cast<int64_t>(shard.ids.size());
  shard.parts.clear();
  for (int64_t first = 0; first < count; first += shard.micro_batch) {
    std::vector<int64_t> part(static_cast<size_t>(shard.micro_batch));
    std::iota(part.begin(), part.end(), shard.ids.front() + first);
    std::vector<int64_t> labels;
    for (const int64_t id : part) {
      labels.push_back(label(id));
    }
    const auto share = [step = shard.step, first, count, images = shard.micro_batch](double done) {
      step((static_cast<double>(first) + done * static_cast<double>(images)) /
           static_cast<double>(count));
    };
    shard.parts.push_back(generator_.start(part, labels, hooks(part, share)));
  }
}

GeneratedBatch ShardMaker::finish_parts(const Started& shard) {
  GeneratedBatch whole;
  std::vector<at::Tensor> pixels;
  auto left = static_cast<int64_t>(shard.ids.size());
  for (const Generator::BatchInFlight& part : shard.parts) {
    const GeneratedBatch made = Generator::finish(part);
    const int64_t kept = std::min(shard.micro_batch, left);
    left -= kept;
    pixels.push_back(made.pixels.narrow(0, 0, kept));
    whole.sound.insert(whole.sound.end(), made.sound.begin(), made.sound.begin() + kept);
    whole.seconds += made.seconds;
    add_steps(whole.steps, made.steps);
    whole.work += made.work;
  }
  whole.pixels = pixels.size() == 1 ? pixels.front() : at::cat(pixels);
  return whole;
}

GenerationHooks ShardMaker::hooks(const std::vector<int64_t>& ids,
                                  std::function<void(double)> step) {
  GenerationHooks hooks;
  hooks.step = std::move(step);
  hooks.decoded = [this, ids](at::Tensor& images) {
    const c10::InferenceMode guard;
    for (size_t slot = 0; slot < ids.size(); ++slot) {
      at::Tensor image = images[static_cast<int64_t>(slot)];
      if (faults_.strikes(FaultKind::kNan, ids[slot])) {
        image[0][0][0].fill_(std::numeric_limits<double>::quiet_NaN());
      }
      if (faults_.strikes(FaultKind::kConstant, ids[slot])) {
        image.fill_(2);
      }
    }
  };
  return hooks;
}

void ShardMaker::recompute(Started& shard, GeneratedBatch& made) {
  ShardRecord& record = shard.record;
  const int64_t count = plan_.ids(record.shard).count;
  const auto unsound = [&](const GeneratedBatch& result) {
    std::vector<int64_t> slots;
    for (int64_t slot = 0; slot < count; ++slot) {
      if (!result.sound[static_cast<size_t>(slot)]) {
        slots.push_back(slot);
      }
    }
    return slots;
  };
  const std::vector<int64_t> refused = unsound(made);
  if (refused.empty()) {
    return;
  }
  log_warning(concat("shard ", record.shard, ": ", refused.size(),
                     " images are NaN, infinite or a single colour; recomputing"));
  start_parts(shard);
  const GeneratedBatch again = finish_parts(shard);
  for (const int64_t slot : refused) {
    made.pixels[slot].copy_(again.pixels[slot]);
    made.sound[static_cast<size_t>(slot)] = again.sound[static_cast<size_t>(slot)];
    record.recomputed.push_back(shard.ids[static_cast<size_t>(slot)]);
  }
  if (exact_ && !unsound(made).empty()) {
    recompute_exactly(shard, unsound(made), made);
  }
  for (const int64_t slot : unsound(made)) {
    record.failed.push_back(shard.ids[static_cast<size_t>(slot)]);
    log_warning(concat("image ", record.failed.back(), ": no usable result; not written"));
  }
}

void ShardMaker::recompute_exactly(const Started& shard, const std::vector<int64_t>& slots,
                                   GeneratedBatch& made) {
  log_warning(concat(slots.size(), " images are still unusable; recomputing in fp32"));
  std::vector<int64_t> chosen;
  std::vector<int64_t> labels;
  for (const int64_t slot : slots) {
    chosen.push_back(shard.ids[static_cast<size_t>(slot)]);
    labels.push_back(label(chosen.back()));
  }
  try {
    // Its graphs would serve one batch, and destroying them frees the cuBLAS workspace of the
    // stream that captures (LibTorch above 2.11).
    const NoCaptures launched;
    const std::unique_ptr<Generator> exact = exact_();
    const GeneratedBatch again = exact->generate(chosen, labels, hooks(chosen, shard.step));
    for (size_t i = 0; i < slots.size(); ++i) {
      made.pixels[slots[i]].copy_(again.pixels[static_cast<int64_t>(i)]);
      made.sound[static_cast<size_t>(slots[i])] = again.sound[i];
    }
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) {
      throw;
    }
    log_warning("not enough memory for the weights in fp32");
  }
}

int64_t ShardMaker::label(int64_t id) const {
  return label_of(std::min(id, plan_.num_images() - 1), classes_, plan_.num_images());
}

}  // namespace lazymar
