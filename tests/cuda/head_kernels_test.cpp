// Noise, a solver's step and the window of diffusion steps by kernels.
#include <numeric>
#include <utility>

#include "core/noise.h"
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
    draw.keys = there(at::arange(100, c10::kLong) * 3 + 1);
    draw.channels = channels;
    const at::Tensor drawn = ops.draw_normals(draw).cpu();
    ASSERT_EQ(drawn.sizes(), (std::vector<int64_t>{101, 15, channels}));
    PhiloxNoise noise(seed, ids);
    for (const int64_t step : {0, 1, 50, 99, 100}) {
      at::Tensor expected = at::empty({15, channels});
      noise.normals({7,
                     step == 100 ? NoiseRequest::kStart : step,
                     channels,
                     {positions.const_data_ptr<int64_t>(), 15},
                     3 * step + 1,
                     7},
                    {expected.mutable_data_ptr<float>(), static_cast<size_t>(expected.numel())});
      EXPECT_TRUE(at::equal(drawn[step], expected)) << step;
      EXPECT_FALSE(at::equal(drawn[(step + 1) % 101], expected)) << step;
    }
  }
}

at::Tensor coefficients(int64_t steps, c10::ScalarType type) {
  return at::rand({steps, 8}, type) * 0.5 - 0.2;
}

TEST_F(HeadKernels, ReverseStepIsItsTwin) {
  for (const c10::ScalarType type : {c10::kFloat, c10::kDouble}) {
    const double tolerance = type == c10::kDouble ? 1e-12 : 2e-6;
    const at::Tensor predicted = at::randn({67, 12}, type);
    const at::Tensor held = there(predicted);
    for (const bool looks_back : {false, true}) {
      ReverseStep step;
      step.x = at::randn({67, 6}, type);
      step.eps = predicted.narrow(1, 0, 6);
      step.v = predicted.narrow(1, 6, 6);
      step.noise = at::randn({67, 6}, type);
      step.coefficients = coefficients(1, type)[0];
      step.temperature = 0.7;
      step.previous_x0 = looks_back ? at::randn({67, 6}, type) : at::Tensor();
      step.keep_x0 = looks_back;
      ReverseStep there_step = step;
      there_step.x = there(step.x);
      there_step.eps = held.narrow(1, 0, 6);
      there_step.v = held.narrow(1, 6, 6);
      there_step.noise = there(step.noise);
      there_step.coefficients = there(step.coefficients);
      there_step.previous_x0 = there(step.previous_x0);
      const Reversed expected = plain::reverse_step(step);
      const Reversed reversed = ops.reverse_step(there_step);
      EXPECT_TRUE(near(reversed.x, expected.x, tolerance));
      EXPECT_EQ(reversed.x0.defined(), looks_back);
      EXPECT_TRUE(!looks_back || near(reversed.x0, expected.x0, tolerance));
      there_step.noise = at::Tensor();
      step.noise = at::Tensor();
      EXPECT_FALSE(near(ops.reverse_step(there_step).x, expected.x, tolerance));
      EXPECT_TRUE(near(ops.reverse_step(there_step).x, plain::reverse_step(step).x, tolerance));
    }
  }
}

void compare_mlps(const cuda::Kernels& ops, int64_t rows, int64_t width, c10::ScalarType product,
                  double tolerance) {
  const auto weight = [&] { return (at::randn({width, width}) / std::sqrt(width)).to(product); };
  const auto bias = [&] { return at::randn({width}).to(product); };
  const LayerNorm norm{at::randn({width}), at::randn({width}), 1e-6};
  const LayerNorm held_norm{there(norm.weight), there(norm.bias), 1e-6};
  const DenseWeights fc1_weights{weight(), bias()};
  const DenseWeights fc2_weights{weight(), bias()};
  const Linear fc1(fc1_weights);
  const Linear fc2(fc2_weights);
  const Linear held_fc1({there(fc1_weights.weight), there(fc1_weights.bias)});
  const Linear held_fc2({there(fc2_weights.weight), there(fc2_weights.bias)});
  const at::Tensor h = at::randn({rows, width}) * 2 + 1;
  const at::Tensor modulation = (at::randn({rows, 3 * width}) * 0.5).to(product);
  const HeadMlpOutput expected = plain::head_mlp({&norm, &fc1, &fc2, h, modulation});
  HeadMlp held{&held_norm, &held_fc1, &held_fc2, there(h), there(modulation)};
  const auto output = ops.head_mlp(held);
  ASSERT_TRUE(output.has_value()) << rows << " " << width;
  EXPECT_TRUE(near(output->mlp, expected.mlp, tolerance)) << rows << " " << width;
  EXPECT_TRUE(near(output->h, expected.h, tolerance)) << rows << " " << width;
  held.modulation = there(modulation.roll(width, 1));  // the control: shift, scale and gate changed
  EXPECT_FALSE(near(ops.head_mlp(held)->mlp, expected.mlp, tolerance)) << rows << " " << width;
}

TEST_F(HeadKernels, MlpOfFewRowsIsItsTwin) {
  for (const auto& [product, tolerance] : {std::pair{c10::kBFloat16, 3e-2}, {c10::kHalf, 4e-3}}) {
    for (const int64_t rows : {1, 3, 8, 9, 16}) {
      compare_mlps(ops, rows, 32, product, tolerance);
    }
    compare_mlps(ops, 5, 192, product, tolerance);
    compare_mlps(ops, 12, 1280, product, tolerance);
    compare_mlps(ops, 2, 1536, product, tolerance);
  }
}

TEST_F(HeadKernels, OtherMlpsAreLeftToSingleOperations) {
  const auto fits = [&](int64_t rows, int64_t width, c10::ScalarType product) {
    const LayerNorm norm{there(at::ones({width})), there(at::zeros({width})), 1e-6};
    const Linear layer(
        {there(at::zeros({width, width}).to(product)), there(at::zeros({width}).to(product))});
    return ops
        .head_mlp({&norm, &layer, &layer, there(at::zeros({rows, width})),
                   there(at::zeros({rows, 3 * width}).to(product))})
        .has_value();
  };
  EXPECT_TRUE(fits(16, 64, c10::kBFloat16));
  EXPECT_FALSE(fits(17, 64, c10::kBFloat16));
  EXPECT_FALSE(fits(16, 72, c10::kBFloat16));
  EXPECT_FALSE(fits(1, 1568, c10::kHalf));
  EXPECT_FALSE(fits(16, 64, c10::kFloat));
}

TEST_F(HeadKernels, AMlpWhoseNormIsNotAlignedIsLeftToSingleOperations) {
  const auto fits = [&](int64_t weight_at, int64_t bias_at) {
    constexpr int64_t kWidth = 64;
    const at::Tensor memory = there(at::ones({kWidth + 4}));  // aligned by the allocator
    const LayerNorm norm{memory.narrow(0, weight_at, kWidth), memory.narrow(0, bias_at, kWidth),
                         1e-6};
    const Linear layer({there(at::zeros({kWidth, kWidth}).to(c10::kHalf)),
                        there(at::zeros({kWidth}).to(c10::kHalf))});
    return ops
        .head_mlp({&norm, &layer, &layer, there(at::zeros({3, kWidth})),
                   there(at::zeros({3, 3 * kWidth}).to(c10::kHalf))})
        .has_value();
  };
  EXPECT_TRUE(fits(0, 4));
  EXPECT_FALSE(fits(1, 4));
  EXPECT_FALSE(fits(0, 2));
}

struct WindowShape {
  int64_t rows, width, channels, steps;
};

void compare_windows(const cuda::Kernels& ops, const WindowShape& shape, c10::ScalarType type,
                     c10::ScalarType product, bool guided, int64_t first) {
  const auto [rows, width, channels, steps] = shape;
  const auto randn = [&](at::IntArrayRef sizes) { return at::randn(sizes, type); };
  const at::Tensor in_weight = randn({width, channels}) * 0.3;
  const at::Tensor in_bias = randn({width});
  const at::Tensor out_weight = randn({2 * channels, width}) / std::sqrt(width);
  const at::Tensor out_bias = randn({2 * channels});
  const Linear input({in_weight, in_bias});
  const Linear output({out_weight, out_bias});
  const Linear held_input({there(in_weight), there(in_bias)});
  const Linear held_output({there(out_weight), there(out_bias)});
  HeadWindow window;
  window.input_proj = &input;
  window.final_linear = &output;
  window.x = randn({rows, channels});
  window.sums = randn({steps, rows, width});
  window.modulation = (randn({steps, rows, 2 * width}) * 0.3).to(product);
  window.difference = guided ? randn({rows, channels}) : at::Tensor();
  window.guidance = at::scalar_tensor(2.5, window.x.options());
  window.noise = randn({first + 2, rows, channels});
  window.coefficients = coefficients(first + 2, type);
  window.coefficients[0][7] = 0;  // the last step adds no noise
  window.first = first;
  window.temperature = 0.9;
  HeadWindow held;
  held.input_proj = &held_input;
  held.input_columns = there(in_weight.t().contiguous());
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
  for (const auto& [type, product] : {std::pair{c10::kFloat, c10::kFloat},
                                      {c10::kFloat, c10::kBFloat16},
                                      {c10::kFloat, c10::kHalf},
                                      {c10::kDouble, c10::kDouble}}) {
    for (const bool guided : {true, false}) {
      compare_windows(ops, {3, 70, 5, 2}, type, product, guided, 1);  // down to the last step
    }
    compare_windows(ops, {1, 1280, 16, 3}, type, product, true, 41);
    compare_windows(ops, {2, 1, 1, 3}, type, product, true, 12);
    compare_windows(ops, {267, 40, 4, 2}, type, product, true, 20);  // rows share a block; a rest
  }
  compare_windows(ops, {2, 1536, 16, 6}, c10::kFloat, c10::kBFloat16, true, 34);
}

TEST_F(HeadKernels, WindowsTooLargeForABlockAreLeftToTheTwin) {
  EXPECT_TRUE(ops.has_head_window(there(at::zeros({1, 16})), 1536));
  EXPECT_FALSE(ops.has_head_window(there(at::zeros({1, 16})), 1 << 16));
  EXPECT_FALSE(ops.has_head_window(there(at::zeros({1, 16}, c10::kBFloat16)), 64));
}

}  // namespace
}  // namespace lazymar
