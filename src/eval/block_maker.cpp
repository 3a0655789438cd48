#include "lazymar/eval/block_maker.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>
#include <new>
#include <numeric>
#include <utility>

#include "lazymar/core/error.h"
#include "lazymar/eval/device.h"
#include "lazymar/run/log.h"

namespace lazymar {

int64_t label_of(int64_t id, const std::vector<int64_t>& classes, int64_t num_images) {
  return classes[static_cast<size_t>(id * static_cast<int64_t>(classes.size()) / num_images)];
}

BlockMaker::BlockMaker(const EvalOptions& options, const BlockPlan& plan,
                       std::vector<int64_t> classes, Generator& generator, const Faults& faults)
    : halve_on_oom_(options.halve_on_oom),
      plan_(plan),
      classes_(std::move(classes)),
      generator_(generator),
      faults_(faults) {}

GeneratedBlock BlockMaker::make(BlockRecord& record, const StepCallback& step) {
  step_ = &step;
  // Every block has the same shape: the last one is padded with images that nobody keeps.
  std::vector<int64_t> ids(static_cast<size_t>(plan_.block_size()));
  std::iota(ids.begin(), ids.end(), plan_.ids(record.block).first);
  record.slots = plan_.block_size();
  GeneratedBlock made = generate(ids, record);
  recompute(ids, made, record);
  return made;
}

GeneratedBlock BlockMaker::generate(const std::vector<int64_t>& ids, BlockRecord& record) {
  const int64_t block = record.block;
  const auto whole = static_cast<int64_t>(ids.size());
  // Once two blocks in a row did not fit, there is no point in trying the next one whole.
  int64_t micro_batch = short_blocks_ < 2 ? whole : micro_batch_;
  while (true) {
    try {
      if (faults_.strikes(FaultKind::kOutOfMemory, block)) {
        throw std::bad_alloc();
      }
      GeneratedBlock made = generate_parts(ids, micro_batch);
      short_blocks_ = micro_batch < whole ? short_blocks_ + 1 : 0;
      if (micro_batch < whole) {
        record.micro_batch = micro_batch_ = micro_batch;
      }
      return made;
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error) || micro_batch == 1) {
        throw;
      }
      if (!halve_on_oom_) {
        throw usage_error("block ", block, ": out of memory with ", micro_batch,
                          " images at a time: use a smaller --eval_bsz, or --oom halve");
      }
    }
    release_unused_memory(generator_.model().mar.class_emb.device());
    micro_batch = (micro_batch + 1) / 2;
    log_warning(concat("block ", block, ": out of memory; goes on with ", micro_batch,
                       " images at a time, whose bits may differ (--oom fail refuses instead)"));
  }
}

GeneratedBlock BlockMaker::generate_parts(const std::vector<int64_t>& ids, int64_t micro_batch) {
  GeneratedBlock whole;
  std::vector<at::Tensor> pixels;
  const auto count = static_cast<int64_t>(ids.size());
  for (int64_t first = 0; first < count; first += micro_batch) {
    std::vector<int64_t> part(static_cast<size_t>(micro_batch));
    std::iota(part.begin(), part.end(), ids.front() + first);
    std::vector<int64_t> labels;
    for (const int64_t id : part) {
      labels.push_back(label(id));
    }
    const auto share = [&](double done) {
      (*step_)((static_cast<double>(first) + done * static_cast<double>(micro_batch)) /
               static_cast<double>(count));
    };
    const GeneratedBlock made = generator_.generate(part, labels, hooks(part, share));
    const int64_t kept = std::min(micro_batch, count - first);
    pixels.push_back(made.pixels.narrow(0, 0, kept));
    whole.sound.insert(whole.sound.end(), made.sound.begin(), made.sound.begin() + kept);
    whole.seconds += made.seconds;
    add_steps(whole.steps, made.steps);
    whole.work += made.work;
  }
  whole.pixels = pixels.size() == 1 ? pixels.front() : at::cat(pixels);
  return whole;
}

GenerationHooks BlockMaker::hooks(const std::vector<int64_t>& ids,
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

void BlockMaker::recompute(const std::vector<int64_t>& ids, GeneratedBlock& made,
                           BlockRecord& record) {
  const int64_t count = plan_.ids(record.block).count;
  const auto unsound = [&](const GeneratedBlock& block) {
    std::vector<int64_t> slots;
    for (int64_t slot = 0; slot < count; ++slot) {
      if (!block.sound[static_cast<size_t>(slot)]) {
        slots.push_back(slot);
      }
    }
    return slots;
  };
  const std::vector<int64_t> refused = unsound(made);
  if (refused.empty()) {
    return;
  }
  log_warning(concat("block ", record.block, ": ", refused.size(),
                     " images with values that are not finite, or of one colour: once more"));
  const GeneratedBlock again = generate_parts(ids, record.micro_batch.value_or(plan_.block_size()));
  for (const int64_t slot : refused) {
    made.pixels[slot].copy_(again.pixels[slot]);
    made.sound[static_cast<size_t>(slot)] = again.sound[static_cast<size_t>(slot)];
    record.recomputed.push_back(ids[static_cast<size_t>(slot)]);
  }
  if (exact_ && !unsound(made).empty()) {
    recompute_exactly(ids, unsound(made), made);
  }
  for (const int64_t slot : unsound(made)) {
    record.failed.push_back(ids[static_cast<size_t>(slot)]);
    log_warning(concat("image ", record.failed.back(), ": no usable result; it is not written"));
  }
}

void BlockMaker::recompute_exactly(const std::vector<int64_t>& ids,
                                   const std::vector<int64_t>& slots, GeneratedBlock& made) {
  log_warning(concat(slots.size(), " images are still unusable: once more in fp32"));
  std::vector<int64_t> chosen;
  std::vector<int64_t> labels;
  for (const int64_t slot : slots) {
    chosen.push_back(ids[static_cast<size_t>(slot)]);
    labels.push_back(label(chosen.back()));
  }
  try {
    const std::unique_ptr<Generator> exact = exact_();
    const auto share = [this](double done) { (*step_)(done); };
    const GeneratedBlock again = exact->generate(chosen, labels, hooks(chosen, share));
    for (size_t i = 0; i < slots.size(); ++i) {
      made.pixels[slots[i]].copy_(again.pixels[static_cast<int64_t>(i)]);
      made.sound[static_cast<size_t>(slots[i])] = again.sound[i];
    }
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) {
      throw;
    }
    log_warning("there is no memory for the weights in fp32");
  }
}

int64_t BlockMaker::label(int64_t id) const {
  return label_of(std::min(id, plan_.num_images() - 1), classes_, plan_.num_images());
}

}  // namespace lazymar
