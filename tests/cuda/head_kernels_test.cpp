// Noise, the posterior and the window of diffusion steps by kernels.
#include <numeric>

#include "lazymar/core/noise.h"
#include "support/kernel_device.h"

namespace lazymar {
namespace {

using testing::near;
using testing::there;

class HeadKernels : public testing::KernelTest {};

TEST_F(HeadKernels, NoiseHasTheBitsOfTheCpu) {
  const uint64_t seed = (uint64_t{5} << 40) + 77;
  const std::vector<int64_t> ids{0, 41, 4294967295};
  for (const int64_t channels : {16, 6, 1}) {
    NormalDraw draw;
    draw.key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
    const at::Tensor positions = at::randint(0, 256, {3, 5}, c10::kLong);
    draw.ids = there(at::tensor(ids, c10::kLong));
    draw.positions = there(positions);
    draw.decoding_step = 7;
    draw.steps = 100;
    draw.channels = channels;
    const at::Tensor drawn = ops.draw_normals(draw).cpu();
    ASSERT_EQ(drawn.sizes(), (std::vector<int64_t>{101, 15, channels}));
    PhiloxNoise noise(seed, ids);
    for (const int64_t step : {0, 1, 50, 99, 100}) {
      at::Tensor expected = at::empty({15, channels});
      noise.normals({7,
                     step == 100 ? NoiseRequest::kStart : step,
                     channels,
                     {positions.const_data_ptr<int64_t>(), 15}},
                    {expected.mutable_data_ptr<float>(), static_cast<size_t>(expected.numel())});
      EXPECT_TRUE(at::equal(drawn[step], expected)) << step;
      EXPECT_FALSE(at::equal(drawn[(step + 1) % 101], expected)) << step;
    }
  }
}

at::Tensor coefficients(int64_t steps, c10::ScalarType type) {
  return at::rand({steps, 6}, type) * 0.5 - 0.2;
}

TEST_F(HeadKernels, PosteriorIsItsTwin) {
  for (const c10::ScalarType type : {c10::kFloat, c10::kDouble}) {
    const at::Tensor predicted = at::randn({67, 12}, type);
    const at::Tensor held = there(predicted);
    Posterior step{at::randn({67, 6}, type), predicted.narrow(1, 0, 6), predicted.narrow(1, 6, 6),
                   at::randn({67, 6}, type), coefficients(1, type)[0],  0.7};
    Posterior there_step{there(step.x),     held.narrow(1, 0, 6),     held.narrow(1, 6, 6),
                         there(step.noise), there(step.coefficients), 0.7};
    const at::Tensor expected = plain::posterior(step);
    const double tolerance = type == c10::kDouble ? 1e-12 : 2e-6;
    EXPECT_TRUE(near(ops.posterior(there_step), expected, tolerance));
    there_step.noise = at::Tensor();
    step.noise = at::Tensor();
    EXPECT_FALSE(near(ops.posterior(there_step), expected, tolerance));
    EXPECT_TRUE(near(ops.posterior(there_step), plain::posterior(step), tolerance));
  }
}

struct WindowShape {
  int64_t rows, width, channels, steps;
};

void compare_windows(const DeviceOps& ops, const WindowShape& shape, c10::ScalarType type,
                     bool guided, int64_t first) {
  const auto [rows, width, channels, steps] = shape;
  const auto randn = [&](at::IntArrayRef sizes) { return at::randn(sizes, type); };
  const at::Tensor in_weight = randn({width, channels}) * 0.3;
  const at::Tensor in_bias = randn({width});
  const at::Tensor out_weight = randn({2 * channels, width}) / std::sqrt(width);
  const at::Tensor out_bias = randn({2 * channels});
  const Linear input(in_weight, in_bias);
  const Linear output(out_weight, out_bias);
  const Linear held_input(there(in_weight), there(in_bias));
  const Linear held_output(there(out_weight), there(out_bias));
  HeadWindow window;
  window.input_proj = &input;
  window.final_linear = &output;
  window.x = randn({rows, channels});
  window.sums = randn({steps, rows, width});
  window.modulation = randn({steps, rows, 2 * width}) * 0.3;
  window.difference = guided ? randn({rows, channels}) : at::Tensor();
  window.guidance = at::scalar_tensor(2.5, window.x.options());
  window.noise = randn({first + 2, rows, channels});
  window.coefficients = coefficients(first + 2, type);
  window.first = first;
  window.temperature = 0.9;
  HeadWindow held;
  held.input_proj = &held_input;
  held.final_linear = &held_output;
  held.x = there(window.x);
  held.sums = there(window.sums);
  held.modulation = there(window.modulation);
  held.difference = there(window.difference);
  held.guidance = there(window.guidance);
  held.noise = there(window.noise);
  held.coefficients = there(window.coefficients);
  held.first = window.first;
  held.temperature = window.temperature;
  const at::Tensor expected = plain::head_window(window);
  const double tolerance = type == c10::kDouble ? 1e-11 : 2e-5;
  ASSERT_TRUE(ops.has_head_window(held.x, width));
  EXPECT_TRUE(near(ops.head_window(held), expected, tolerance)) << rows << " " << width;
  held.first += 1;  // the control: other coefficients and noise
  EXPECT_FALSE(near(ops.head_window(held), expected, tolerance)) << rows << " " << width;
}

TEST_F(HeadKernels, WindowIsItsTwin) {
  for (const c10::ScalarType type : {c10::kFloat, c10::kDouble}) {
    for (const bool guided : {true, false}) {
      compare_windows(ops, {3, 70, 5, 2}, type, guided, 1);  // down to the last step
    }
    compare_windows(ops, {1, 1280, 16, 3}, type, true, 41);
    compare_windows(ops, {2, 1, 1, 3}, type, true, 12);
    compare_windows(ops, {267, 40, 4, 2}, type, true, 20);  // several rows a block, and a rest
  }
  compare_windows(ops, {2, 1536, 16, 6}, c10::kFloat, true, 34);
}

TEST_F(HeadKernels, WindowsTooLargeForABlockAreLeftToTheTwin) {
  EXPECT_TRUE(ops.has_head_window(there(at::zeros({1, 16})), 1536));
  EXPECT_FALSE(ops.has_head_window(there(at::zeros({1, 16})), 1 << 16));
  EXPECT_FALSE(ops.has_head_window(there(at::zeros({1, 16}, c10::kBFloat16)), 64));
}

}  // namespace
}  // namespace lazymar
