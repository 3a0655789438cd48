#include "lazymar/mar/runner.h"

#include <ATen/ATen.h>

namespace lazymar {

at::Tensor full_decoder_input(const at::Tensor& mask_rows, const at::Tensor& encoded,
                              int64_t masked) {
  const int64_t halves = encoded.size(0) / mask_rows.size(0);
  return at::cat({mask_rows.narrow(1, 0, masked).repeat({halves, 1, 1}), encoded}, 1);
}

void FullRunner::begin(const MarBatch& batch) {
  length_ = batch.orders.size(1);
  halves_ = batch.halves;
}

EncoderRows FullRunner::encoder_rows(const DecodeStep& step) {
  return {step.masked, length_, halves_};
}

at::Tensor FullRunner::encode(std::span<const Block> blocks, const at::Tensor& x,
                              const DecodeStep&) {
  at::Tensor h = x;
  for (const Block& block : blocks) {
    h = block(h);
  }
  return h;
}

at::Tensor FullRunner::decoder_input(const at::Tensor& mask_rows, const at::Tensor& encoded,
                                     const DecodeStep& step) {
  return full_decoder_input(mask_rows, encoded, step.masked);
}

at::Tensor FullRunner::decode(std::span<const Block> blocks, const at::Tensor& x,
                              const DecodeStep& step) {
  at::Tensor h = x;
  for (const Block& block : blocks) {
    h = block(h);
  }
  return h.narrow(1, step.first, step.predicted());
}

}  // namespace lazymar
