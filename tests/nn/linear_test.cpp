#include "nn/linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nn/flops.h"
#include "nn/linear_formats.h"

namespace lazymar {
namespace {

/// A layer as in a network of that precision.
Linear in_precision(const DenseWeights& weights, const char* precision,
                    LayerRole role = LayerRole::kMlpIn) {
  return make_linear(weights, role, {parse_precision(precision)});
}

TEST(Linear, ComputesAndCounts) {
  const DenseWeights weights{at::randn({5, 3}), at::randn({5})};
  const Linear linear(weights);
  const at::Tensor x = at::randn({2, 7, 3});
  work_count() = {};
  const at::Tensor y = linear(x);
  EXPECT_TRUE(at::allclose(y, at::matmul(x, weights.weight.t()) + weights.bias, 1e-5, 1e-5));
  EXPECT_EQ(work_count().flops, 2 * 14 * 3 * 5);
}

TEST(Linear, ASliceOfItsOutputsIsAView) {
  const Linear linear({at::randn({6, 3}), at::randn({6})});
  const Linear slice = *linear.slice(4, 2);
  const at::Tensor x = at::randn({4, 3});
  EXPECT_TRUE(at::allclose(slice(x), linear(x).narrow(1, 4, 2), 1e-5, 1e-6));
  EXPECT_TRUE(slice.dense()->weight.is_alias_of(linear.dense()->weight));
}

TEST(Linear, PackedItIsTheSameWithinRounding) {
  for (const int64_t rows : {0, 1, 3, 64}) {
    const DenseWeights weights{at::randn({40, 24}), at::randn({40})};
    const Linear dense(weights);
    const Linear packed = in_precision(weights, "fp32");
    ASSERT_EQ(packed.dense(), nullptr);
    EXPECT_FALSE(packed.slice(0, 8).has_value());
    const at::Tensor x = at::randn({2, rows, 24});
    for (const Activation activation :
         {Activation::kNone, Activation::kGelu, Activation::kTanhGelu, Activation::kSilu}) {
      const at::Tensor y = packed(x, activation);
      EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, rows, 40}));
      EXPECT_TRUE(at::allclose(y, dense(x, activation), 1e-5, 1e-5)) << rows;
    }
  }
}

TEST(Linear, ActivationsAreTheirFormulas) {
  const Linear linear({at::randn({40, 24}, c10::kDouble), at::randn({40}, c10::kDouble)});
  const at::Tensor x = at::randn({7, 24}, c10::kDouble);
  const at::Tensor y = linear(x);
  const at::Tensor gelu = 0.5 * y * (1 + at::erf(y / std::sqrt(2.0)));
  EXPECT_TRUE(at::allclose(linear(x, Activation::kGelu), gelu, 1e-13, 1e-13));
  EXPECT_TRUE(at::allclose(linear(x, Activation::kSilu), y * at::sigmoid(y), 1e-13, 1e-13));
  const at::Tensor tanh = linear(x, Activation::kTanhGelu);
  EXPECT_TRUE(at::allclose(tanh, gelu, 1e-2, 1e-3));
  EXPECT_FALSE(at::allclose(tanh, gelu, 1e-9, 1e-9));
}

TEST(Linear, InBf16ItRoundsOperandsAndResult) {
  const DenseWeights weights{at::randn({40, 24}), at::randn({40})};
  const Linear packed = in_precision(weights, "bf16");
  const at::Tensor x = at::randn({2, 64, 24});
  const at::Tensor y = packed(x);
  EXPECT_EQ(y.scalar_type(), c10::kBFloat16);
  const Linear rounded({weights.weight.to(c10::kBFloat16).to(c10::kFloat),
                        weights.bias.to(c10::kBFloat16).to(c10::kFloat)});
  const at::Tensor expected = rounded(x.to(c10::kBFloat16).to(c10::kFloat));
  EXPECT_TRUE(at::allclose(y.to(c10::kFloat), expected, 1.0 / 128, 1e-3));
  EXPECT_FALSE(at::allclose(y.to(c10::kFloat), Linear(weights)(x), 1e-4, 1e-5));
}

TEST(Linear, TheRoleDecidesWhetherItIsRounded) {
  const DenseWeights weights{at::randn({40, 24}), at::randn({40})};
  EXPECT_EQ(in_precision(weights, "bf16", LayerRole::kHead).input_type(), c10::kBFloat16);
  EXPECT_EQ(in_precision(weights, "bf16", LayerRole::kExact).input_type(), c10::kFloat);
  EXPECT_EQ(in_precision(weights, "fp16", LayerRole::kHead).output_type(), c10::kHalf);
}

TEST(Linear, DoubleIsDense) {
  const DenseWeights weights{at::randn({4, 3}, c10::kDouble), at::randn({4}, c10::kDouble)};
  EXPECT_NE(in_precision(weights, "fp64").dense(), nullptr);
}

TEST(Linear, WithoutWeightsItIsNotLoaded) {
  EXPECT_FALSE(in_precision({at::Tensor(), at::randn({4})}, "fp32").loaded());
  EXPECT_FALSE(Linear(DenseWeights()).loaded());
  EXPECT_FALSE(Linear().slice(0, 1).has_value());
}

TEST(LinearFormats, EveryPresetNamesFormatsThatItsDevicesHave) {
  for (const Precision precision : precisions()) {
    for (size_t role = 0; role < kLayerRoles; ++role) {
      const std::string_view name = precision->formats.of(static_cast<LayerRole>(role));
      for (const c10::DeviceType device : {c10::kCPU, c10::kCUDA}) {
        const auto works = (device == c10::kCPU ? precision->cpu : precision->gpu).works;
        if (works == nullptr || works()) {
          EXPECT_EQ(linear_format(name, device).name, name);
        }
      }
    }
  }
  EXPECT_ANY_THROW(linear_format("fp7", c10::kCPU));
}

TEST(LayerNorm, NormalizesOverTheLastDimension) {
  const LayerNorm norm{at::randn({8}), at::randn({8}), 1e-6};
  const at::Tensor x = at::randn({3, 8}) * 4 + 2;
  const at::Tensor centred = x - x.mean(-1, true);
  const at::Tensor expected =
      centred / (centred.square().mean(-1, true) + 1e-6).sqrt() * norm.weight + norm.bias;
  EXPECT_TRUE(at::allclose(norm(x), expected, 1e-4, 1e-5));
}

}  // namespace
}  // namespace lazymar
