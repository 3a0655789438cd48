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

BlockMaker::Started BlockMaker::start(BlockRecord record, const StepCallback& step) {
  Started block;
  block.record = std::move(record);
  block.step = step;
  // Every block has the same shape: the last one is padded with images that nobody keeps.
  block.ids.resize(static_cast<size_t>(plan_.block_size()));
  std::iota(block.ids.begin(), block.ids.end(), plan_.ids(block.record.block).first);
  block.record.slots = plan_.block_size();
  const auto whole = plan_.block_size();
  // Once two blocks in a row did not fit, there is no point in trying the next one whole.
  block.micro_batch = short_blocks_ < 2 ? whole : micro_batch_;
  while (true) {
    try {
      if (faults_.strikes(FaultKind::kOutOfMemory, block.record.block)) {
        throw std::bad_alloc();
      }
      start_parts(block);
      short_blocks_ = block.micro_batch < whole ? short_blocks_ + 1 : 0;
      if (block.micro_batch < whole) {
        block.record.micro_batch = micro_batch_ = block.micro_batch;
      }
      return block;
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error) || block.micro_batch == 1) {
        throw;
      }
      if (!halve_on_oom_) {
        throw usage_error("block ", block.record.block, ": out of memory with ", block.micro_batch,
                          " images at a time: use a smaller --eval_bsz, or --oom halve");
      }
    }
    block.parts.clear();
    generator_.release_unused_memory();
    block.micro_batch = (block.micro_batch + 1) / 2;
    log_warning(concat("block ", block.record.block, ": out of memory; goes on with ",
                       block.micro_batch,
                       " images at a time, whose bits may differ (--oom fail refuses instead)"));
  }
}

GeneratedBlock BlockMaker::finish(Started& block) {
  GeneratedBlock made = finish_parts(block);
  recompute(block, made);
  return made;
}

void BlockMaker::start_parts(Started& block) {
  const auto count = static_cast<int64_t>(block.ids.size());
  block.parts.clear();
  for (int64_t first = 0; first < count; first += block.micro_batch) {
    std::vector<int64_t> part(static_cast<size_t>(block.micro_batch));
    std::iota(part.begin(), part.end(), block.ids.front() + first);
    std::vector<int64_t> labels;
    for (const int64_t id : part) {
      labels.push_back(label(id));
    }
    const auto share = [step = block.step, first, count, images = block.micro_batch](double done) {
      step((static_cast<double>(first) + done * static_cast<double>(images)) /
           static_cast<double>(count));
    };
    block.parts.push_back(generator_.start(part, labels, hooks(part, share)));
  }
}

GeneratedBlock BlockMaker::finish_parts(const Started& block) {
  GeneratedBlock whole;
  std::vector<at::Tensor> pixels;
  auto left = static_cast<int64_t>(block.ids.size());
  for (const Generator::BlockInFlight& part : block.parts) {
    const GeneratedBlock made = Generator::finish(part);
    const int64_t kept = std::min(block.micro_batch, left);
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

void BlockMaker::recompute(Started& block, GeneratedBlock& made) {
  BlockRecord& record = block.record;
  const int64_t count = plan_.ids(record.block).count;
  const auto unsound = [&](const GeneratedBlock& result) {
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
  log_warning(concat("block ", record.block, ": ", refused.size(),
                     " images with values that are not finite, or of one colour: once more"));
  start_parts(block);
  const GeneratedBlock again = finish_parts(block);
  for (const int64_t slot : refused) {
    made.pixels[slot].copy_(again.pixels[slot]);
    made.sound[static_cast<size_t>(slot)] = again.sound[static_cast<size_t>(slot)];
    record.recomputed.push_back(block.ids[static_cast<size_t>(slot)]);
  }
  if (exact_ && !unsound(made).empty()) {
    recompute_exactly(block, unsound(made), made);
  }
  for (const int64_t slot : unsound(made)) {
    record.failed.push_back(block.ids[static_cast<size_t>(slot)]);
    log_warning(concat("image ", record.failed.back(), ": no usable result; it is not written"));
  }
}

void BlockMaker::recompute_exactly(const Started& block, const std::vector<int64_t>& slots,
                                   GeneratedBlock& made) {
  log_warning(concat(slots.size(), " images are still unusable: once more in fp32"));
  std::vector<int64_t> chosen;
  std::vector<int64_t> labels;
  for (const int64_t slot : slots) {
    chosen.push_back(block.ids[static_cast<size_t>(slot)]);
    labels.push_back(label(chosen.back()));
  }
  try {
    const std::unique_ptr<Generator> exact = exact_();
    const GeneratedBlock again = exact->generate(chosen, labels, hooks(chosen, block.step));
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
