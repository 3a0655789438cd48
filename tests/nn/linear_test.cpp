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
