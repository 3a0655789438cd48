#include "pipeline/kernel_inputs.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/noise.h"

namespace lazymar {

std::string shape_text(const at::Tensor& t) {
  std::string text;
  for (const int64_t size : t.sizes()) {
    text += concat(text.empty() ? "" : "x", size);
  }
  return concat(text, " ", c10::toString(t.scalar_type()));
}

KernelInputs::KernelInputs(c10::Device device)
    : device_(device), generator_(at::detail::createCPUGenerator(/*seed_val=*/1)) {}

at::Tensor KernelInputs::normal(at::IntArrayRef sizes, c10::ScalarType type) {
  return at::randn(sizes, generator_, at::TensorOptions().dtype(c10::kFloat))
      .to(at::TensorOptions().dtype(type).device(device_));
}

at::Tensor KernelInputs::permutations(int64_t images, int64_t length) {
  at::Tensor all = at::empty({images, length}, c10::kLong);
  for (int64_t image = 0; image < images; ++image) {
    all[image] = at::randperm(length, generator_, at::TensorOptions().dtype(c10::kLong));
  }
  return all.to(device_);
}

HeadWindow window_of(const DiffusionHead& head, const KernelShapes& s, KernelInputs& in) {
  constexpr int64_t kRows = 4, kSteps = 3, kFirst = 9;
  HeadWindow window;
  window.input_proj = &head.input_proj;
  window.input_columns = head.input_columns;
  window.final_linear = &head.final_linear;
  window.norm_eps = head.norm_eps;
  window.x = in.normal({kRows, s.channels}, s.type);
  window.sums = in.normal({kSteps, kRows, s.head_width}, s.type);
  window.modulation = in.normal({kSteps, kRows, 2 * s.head_width}, s.product) * 0.3;
  window.difference = in.normal({kRows, s.channels}, s.type);
  window.guidance = at::full({}, 2.5, window.x.options());
  window.noise = in.normal({kFirst + 1, kRows, s.channels}, s.type);
  window.coefficients = in.normal({kFirst + 1, 8}, s.type) * 0.1 + 0.2;
  window.first = kFirst;
  window.temperature = 0.9;
  return window;
}

NoiseComparison::NoiseComparison(KernelInputs& in, int64_t images, int64_t channels)
    : ids_(static_cast<size_t>(images)) {
  std::iota(ids_.begin(), ids_.end(), 4294967295 - images);  // up to the largest ids
  positions_ = in.permutations(images, 256).narrow(1, 0, kTokens).cpu().contiguous();
  draw_.key = {static_cast<uint32_t>(kSeed), static_cast<uint32_t>(kSeed >> 32)};
  draw_.ids = at::tensor(ids_, c10::kLong).to(in.device());
  draw_.positions = positions_.to(in.device());
  draw_.decoding_step = kDecodingStep;
  draw_.keys = (at::arange(kSteps, c10::kLong) * 3 + 1).to(in.device());
  draw_.channels = channels;
}

std::string NoiseComparison::shape() const {
  return concat(kSteps + 1, "x", positions_.numel(), "x", draw_.channels, " Float");
}

at::Tensor NoiseComparison::twin() const {
  PhiloxNoise noise(kSeed, ids_);
  const int64_t count = positions_.numel();
  at::Tensor values = at::empty({kSteps + 1, count, draw_.channels}, c10::kFloat);
  for (int64_t step = 0; step <= kSteps; ++step) {
    at::Tensor part = values[step];
    noise.normals({kDecodingStep,
                   step == kSteps ? NoiseRequest::kStart : step,
                   draw_.channels,
                   {positions_.const_data_ptr<int64_t>(), static_cast<size_t>(count)},
                   3 * step + 1,
                   kDecodingStep},
                  {part.mutable_data_ptr<float>(), static_cast<size_t>(part.numel())});
  }
  return values;
}

}  // namespace lazymar
