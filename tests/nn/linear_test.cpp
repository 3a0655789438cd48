#include "nn/linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nn/flops.h"

namespace lazymar {
namespace {

TEST(Linear, ComputesAndCounts) {
  const Linear linear{at::randn({5, 3}), at::randn({5})};
  const at::Tensor x = at::randn({2, 7, 3});
  work_count() = {};
  const at::Tensor y = linear(x);
  EXPECT_TRUE(at::allclose(y, at::matmul(x, linear.weight().t()) + linear.bias(), 1e-5, 1e-5));
  EXPECT_EQ(work_count().flops, 2 * 14 * 3 * 5);
}

TEST(Linear, APartOfItsOutputsIsAView) {
  const Linear linear{at::randn({6, 3}), at::randn({6})};
  const Linear part = linear.outputs(4, 2);
  const at::Tensor x = at::randn({4, 3});
  EXPECT_TRUE(at::allclose(part(x), linear(x).narrow(1, 4, 2), 1e-5, 1e-6));
  EXPECT_TRUE(part.weight().is_alias_of(linear.weight()));
}

TEST(Linear, PackedItIsTheSameWithinRounding) {
  for (const int64_t rows : {0, 1, 3, 64}) {
    const Linear dense{at::randn({40, 24}), at::randn({40})};
    const Linear packed = dense.prepared(c10::kFloat);
    ASSERT_TRUE(packed.packed());
    const at::Tensor x = at::randn({2, rows, 24});
    for (const Activation activation :
         {Activation::kNone, Activation::kGelu, Activation::kTanhGelu, Activation::kSilu}) {
      EXPECT_TRUE(at::allclose(packed(x, activation), dense(x, activation), 1e-5, 1e-5)) << rows;
    }
  }
}

TEST(Linear, ActivationsAreTheirFormulas) {
  const Linear linear{at::randn({40, 24}, c10::kDouble), at::randn({40}, c10::kDouble)};
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
  const Linear dense{at::randn({40, 24}), at::randn({40})};
  const Linear packed = dense.prepared(c10::kBFloat16);
  const at::Tensor x = at::randn({2, 64, 24});
  const at::Tensor y = packed(x);
  EXPECT_EQ(y.scalar_type(), c10::kBFloat16);
  const Linear rounded{dense.weight().to(c10::kBFloat16).to(c10::kFloat),
                       dense.bias().to(c10::kBFloat16).to(c10::kFloat)};
  const at::Tensor expected = rounded(x.to(c10::kBFloat16).to(c10::kFloat));
  EXPECT_TRUE(at::allclose(y.to(c10::kFloat), expected, 1.0 / 128, 1e-3));
  EXPECT_FALSE(at::allclose(y.to(c10::kFloat), dense(x), 1e-4, 1e-5));
}

TEST(Linear, DoubleIsNotPacked) {
  const Linear linear{at::randn({4, 3}, c10::kDouble), at::randn({4}, c10::kDouble)};
  EXPECT_FALSE(linear.prepared(c10::kDouble).packed());
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
