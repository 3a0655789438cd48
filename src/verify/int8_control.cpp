#include "verify/int8_control.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "core/precision.h"
#include "nn/linear_formats.h"
#include "nn/linear_int8.h"

namespace lazymar {
namespace {

constexpr const char* kFormat = kInt8Control.data();
constexpr double kMost = 127.0;

class ByTensorKernel final : public LinearKernel {
 public:
  explicit ByTensorKernel(const DenseWeights& weights) : by_rows_(int8_kernel(weights)) {}

  at::Tensor operator()(const at::Tensor& x, Activation activation) const override {
    if (x.numel() == 0) {
      return (*by_rows_)(x, activation);
    }
    const at::Tensor wide = x.to(c10::kDouble);
    largest_ = std::max<double>(largest_, wide.abs().max().item<double>());
    const double factor = largest_ == 0 ? 1 : largest_ / kMost;
    return (*by_rows_)(wide.div(factor).round().mul(factor).to(x.scalar_type()), activation);
  }

  c10::ScalarType input_type() const override { return by_rows_->input_type(); }
  c10::ScalarType output_type() const override { return by_rows_->output_type(); }

 private:
  std::shared_ptr<const LinearKernel> by_rows_;
  mutable std::atomic<double> largest_ = 0;
};

std::shared_ptr<const LinearKernel> make(const DenseWeights& weights) {
  return std::make_shared<ByTensorKernel>(weights);
}

}  // namespace

void add_int8_control() {
  static const PrecisionPreset preset = [] {
    PrecisionPreset control = *parse_precision("int8");
    control.name = kFormat;
    for (const LayerRole role :
         {LayerRole::kQkv, LayerRole::kProjection, LayerRole::kMlpIn, LayerRole::kMlpOut}) {
      control.formats = control.formats.with(role, kFormat);
    }
    return control;
  }();
  add_linear_format({kFormat, computes_int8, make});
  add_precision(preset);
}

}  // namespace lazymar
