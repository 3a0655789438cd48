#include "lazymar/mar/runner.h"

#include <ATen/ATen.h>

namespace lazymar {

void FullRunner::begin(const MarBatch& batch) {
  length_ = batch.orders.size(1);
  halves_ = batch.halves;
  needed_rows_ = batch.savings.needed_rows;
}

EncoderRows FullRunner::encoder_rows(const DecodeStep& step) {
  return {step.masked, length_, halves_};
}

at::Tensor FullRunner::encode(std::span<const Block> blocks, const RowInputs& inputs,
                              const DecodeStep& step) {
  const auto known = [&](const at::Tensor& t) {
    return t.narrow(1, step.masked, t.size(1) - step.masked);
  };
  at::Tensor h = known(inputs.x);
  for (const Block& block : blocks) {
    if (&block == &blocks.front()) {
      h = block.feed_forward(block.attend(h, known(inputs.q), known(inputs.kv)));
    } else {
      h = block(h);
    }
  }
  return h;
}

at::Tensor FullRunner::decode(std::span<const Block> blocks, const RowInputs& inputs,
                              const DecodeStep& step) {
  const auto predicted = [&](const at::Tensor& t) {
    return t.narrow(1, step.first, step.predicted());
  };
  at::Tensor h = inputs.x;
  for (const Block& block : blocks) {
    const bool first = &block == &blocks.front();
    const at::Tensor rows = first ? at::Tensor() : block.normed(h);
    const at::Tensor kv = first ? inputs.kv : block.keys_values(rows);
    if (needed_rows_ && &block == &blocks.back()) {
      // Every row is asked, but only those to be predicted have to ask.
      const at::Tensor q = first ? predicted(inputs.q) : block.queries(predicted(rows));
      return block.feed_forward(block.attend(predicted(h), q, kv));
    }
    h = block.feed_forward(block.attend(h, first ? inputs.q : block.queries(rows), kv));
  }
  return predicted(h);
}

}  // namespace lazymar
