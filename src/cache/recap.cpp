#include "cache/recap.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "cache/kv_cache.h"
#include "cache/number_option.h"
#include "mar/runner.h"

namespace lazymar {
namespace {

class RecapRunner final : public Runner {
 public:
  RecapRunner(const MarConfig& config, const DecodingPlan& plan)
      : length_(config.sequence_length),
        buffer_(config.buffer_size),
        steps_(plan.steps),
        encoder_(static_cast<size_t>(config.encoder_depth)),
        decoder_(static_cast<size_t>(config.decoder_depth)) {}

  void begin(const MarBatch& batch) override {
    halves_ = batch.halves;
    batch_rows_ = batch.halves * batch.images;
  }

  bool keeps(const DecodeStep& step) const override {
    const auto next = static_cast<size_t>(step.index) + 1;
    return step.partial() || (next < steps_.size() && steps_[next].partial());
  }

  int64_t kept_bytes() const override {
    return lazymar::kept_bytes(encoder_) + lazymar::kept_bytes(decoder_);
  }

  EncoderRows encoder_rows(const DecodeStep& step) override {
    return {step.masked, step.partial() ? step.masked_before : length_, halves_};
  }

  at::Tensor encode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override {
    const EncoderRows rows = encoder_rows(step);
    return run(blocks, inputs, step, {rows.first, rows.last - rows.first}, encoder_, step.masked);
  }

  at::Tensor decode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override {
    const int64_t last = step.partial() ? step.masked_before : length_;
    const int64_t first = step.partial() ? step.first : 0;
    return run(blocks, inputs, step, {first, last - first}, decoder_, 0);
  }

 private:
  /// Token rows [first, first + count).
  struct Range {
    int64_t first = 0;
    int64_t count = 0;
  };

  /// The blocks' output: for the encoder these tokens and the buffer; for the decoder the rows to
  /// predict. Keys and values are those of rows from `keys_from` on.
  at::Tensor run(std::span<const Block> blocks, const RowInputs& inputs, const DecodeStep& step,
                 Range tokens, std::vector<KvCache>& caches, int64_t keys_from) const {
    const bool decodes = &caches == &decoder_;
    const auto computed = [&](const at::Tensor& t) {
      return at::cat({t.narrow(1, tokens.first, tokens.count), t.narrow(1, length_, buffer_)}, 1);
    };
    const auto visible = [&](const at::Tensor& t) {
      return t.narrow(1, keys_from, length_ + buffer_ - keys_from);
    };
    const RowInputs asking{computed(inputs.x), computed(inputs.q), visible(inputs.kv)};
    at::Tensor h = asking.x;
    for (size_t i = 0; i < blocks.size(); ++i) {
      const bool last = decodes && i + 1 == blocks.size();
      const BlockRows of(blocks, i, h, asking, !last);
      at::Tensor kv = of.keys_values();
      if (i > 0 && step.partial()) {
        caches[i].write(kv, 0, tokens.first, tokens.count);
        caches[i].write(kv, tokens.count, length_, buffer_);
        kv = visible(caches[i].rows);
      } else if (i > 0 && keeps(step)) {
        caches[i].store(kv, batch_rows_, length_ + buffer_, keys_from);
      }
      const auto part = [&](const at::Tensor& t) {
        return last ? t.narrow(1, step.first - tokens.first, step.predicted()) : t;
      };
      h = blocks[i].rest(part(h), of.queries(part), kv);
    }
    return h;
  }

  int64_t length_;  ///< L
  int64_t buffer_;  ///< P
  std::vector<DecodeStep> steps_;
  int64_t halves_ = 1;
  int64_t batch_rows_ = 0;
  mutable std::vector<KvCache> encoder_, decoder_;
};

constexpr NumberOption kFull{"full", 0, "full=N, the full steps before the first pair"};

void check(const MarConfig&, const CacheSpec& cache) {
  kFull.check(cache);
}

bool partial(const DecodingPlan& plan, const DecodeStep& step) {
  const int64_t full = kFull.value(plan.method.cache, plan.count() / 2);
  return step.index >= full && (step.index - full) % 2 == 1;
}

std::unique_ptr<Runner> make_runner(const MarConfig& config, const DecodingPlan& plan) {
  return std::make_unique<RecapRunner>(config, plan);
}

StepWork work(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step) {
  StepWork work = full_work(config, plan, step);
  if (step.partial()) {
    work.encoder_rows = config.buffer_size + step.just_decoded();
    work.kept_rows = work.encoder_rows + step.predicted();
    work.prune_layer = 0;
    work.share = 0;
  }
  return work;
}

/// Every layer's keys and values but the first one's, which the inputs have.
KeptNumbers kept(const MarConfig& config, const DecodingPlan& plan) {
  const bool pairs = std::any_of(plan.steps.begin(), plan.steps.end(),
                                 [](const DecodeStep& step) { return step.partial(); });
  const auto of = [&](int64_t depth, int64_t width) {
    return pairs ? kept_keys_values(config, plan.halves(), depth - 1, width) : 0;
  };
  return {
      of(config.encoder_depth, config.encoder_dim) + of(config.decoder_depth, config.decoder_dim),
      0};
}

}  // namespace

CachePolicy recap_policy() {
  return {.name = "recap",
          .check = check,
          .partial = partial,
          .make_runner = make_runner,
          .make_head_runner = make_full_head_runner,
          .work = work,
          .head_work = full_head_work,
          .kept = kept};
}

}  // namespace lazymar
