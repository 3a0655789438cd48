#pragma once
/// A Runner around another one.

#include "lazymar/mar/runner.h"

namespace lazymar {

/// Hands everything on; what derives from it looks at what it wants to.
class RunnerDecorator : public Runner {
 public:
  explicit RunnerDecorator(Runner& inner) : inner_(inner) {}

  void begin(const MarBatch& batch) override { inner_.begin(batch); }
  bool keeps(const DecodeStep& step) const override { return inner_.keeps(step); }
  EncoderRows encoder_rows(const DecodeStep& step) override { return inner_.encoder_rows(step); }
  at::Tensor encode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override {
    return inner_.encode(blocks, inputs, step);
  }
  at::Tensor decode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override {
    return inner_.decode(blocks, inputs, step);
  }

 private:
  Runner& inner_;
};

}  // namespace lazymar
