#include "mar/runner.h"

#include <ATen/ATen.h>

namespace lazymar {

void FullRunner::begin(const MarBatch& batch) {
  length_ = batch.orders.size(1);
  halves_ = batch.halves;
  needed_rows_ = batch.optimizations.needed_rows;
}

EncoderRows FullRunner::encoder_rows(const DecodeStep& step) {
  return {step.masked, length_, halves_};
}

at::Tensor FullRunner::encode(std::span<const Block> blocks, const RowInputs& inputs,
                              const DecodeStep& step) {
  const RowInputs known = inputs.from(step.masked);
  const auto all = [](const at::Tensor& t) { return t; };
  at::Tensor h = known.x;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const BlockRows rows(blocks, i, h, known, /*all_ask=*/true);
    h = blocks[i].rest(h, rows.queries(all), rows.keys_values());
  }
  return h;
}

at::Tensor FullRunner::decode(std::span<const Block> blocks, const RowInputs& inputs,
                              const DecodeStep& step) {
  const auto predicted = [&](const at::Tensor& t) {
    return t.narrow(1, step.first, step.predicted());
  };
  at::Tensor h = inputs.x;
  for (size_t i = 0; i < blocks.size(); ++i) {
    // Every row supplies keys and values; in the last block, only rows to be predicted need
    // queries.
    const bool few = needed_rows_ && i + 1 == blocks.size();
    const BlockRows rows(blocks, i, h, inputs, !few);
    const auto asking = [&](const at::Tensor& t) { return few ? predicted(t) : t; };
    h = blocks[i].rest(asking(h), rows.queries(asking), rows.keys_values());
  }
  return needed_rows_ ? h : predicted(h);
}

}  // namespace lazymar
