#include "lazymar/nn/linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "lazymar/nn/flops.h"

namespace lazymar {
namespace {

TEST(Linear, ComputesAndCounts) {
  const Linear linear{at::randn({5, 3}), at::randn({5})};
  const at::Tensor x = at::randn({2, 7, 3});
  work_count() = {};
  const at::Tensor y = linear(x);
  EXPECT_TRUE(at::allclose(y, at::matmul(x, linear.weight.t()) + linear.bias, 1e-5, 1e-5));
  EXPECT_EQ(work_count().flops, 2 * 14 * 3 * 5);
}

TEST(Linear, APartOfItsOutputsIsAView) {
  const Linear linear{at::randn({6, 3}), at::randn({6})};
  const Linear part = linear.outputs(4, 2);
  const at::Tensor x = at::randn({4, 3});
  EXPECT_TRUE(at::allclose(part(x), linear(x).narrow(1, 4, 2), 1e-5, 1e-6));
  EXPECT_TRUE(part.weight.is_alias_of(linear.weight));
}

TEST(Linear, PackedItIsTheSameWithinRounding) {
  for (const int64_t rows : {0, 1, 3, 64}) {
    const Linear dense{at::randn({40, 24}), at::randn({40})};
    Linear packed = dense;
    packed.pack();
    ASSERT_TRUE(packed.packed);
    const at::Tensor x = at::randn({2, rows, 24});
    EXPECT_TRUE(at::allclose(packed(x), dense(x), 1e-5, 1e-5)) << rows;
  }
}

TEST(Linear, DoubleIsNotPacked) {
  Linear linear{at::randn({4, 3}, c10::kDouble), at::randn({4}, c10::kDouble)};
  linear.pack();
  EXPECT_FALSE(linear.packed);
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
