#include "lazymar/nn/ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "lazymar/nn/flops.h"

namespace lazymar {
namespace {

TEST(Ops, ModulateAndGate) {
  const auto options = at::TensorOptions().dtype(c10::kDouble);
  const at::Tensor a = at::randn({4, 6}, options);
  const at::Tensor b = at::randn({4, 6}, options);
  const at::Tensor c = at::randn({4, 6}, options);
  EXPECT_TRUE(at::allclose(modulate(a, b, c), a * (1 + c) + b, 1e-14, 1e-14));
  EXPECT_TRUE(at::allclose(add_gated(a, b, c), a + b * c, 1e-14, 1e-14));
}

TEST(Ops, AttentionIsTheSoftmaxFormula) {
  const auto options = at::TensorOptions().dtype(c10::kDouble);
  const at::Tensor q = at::randn({2, 3, 4, 8}, options);
  const at::Tensor k = at::randn({2, 3, 9, 8}, options);
  const at::Tensor v = at::randn({2, 3, 9, 8}, options);
  const at::Tensor weights = (q.matmul(k.transpose(2, 3)) / std::sqrt(8.0)).softmax(-1);
  const at::Tensor expected = weights.matmul(v).transpose(1, 2).reshape({2, 4, 24});
  work_count() = {};
  EXPECT_TRUE(at::allclose(attention(q, k, v), expected, 1e-12, 1e-12));
  EXPECT_EQ(work_count().flops, 2 * 2 * (2 * 3 * 4 * 9 * 8));
}

TEST(Ops, SimilarityIsTheMeanOverHeads) {
  const auto options = at::TensorOptions().dtype(c10::kDouble);
  const at::Tensor a = at::randn({2, 3, 4, 8}, options);
  at::Tensor b = a.clone();
  EXPECT_TRUE(at::allclose(mean_cosine_similarity(a, b), at::ones({2, 4}, options)));
  b.select(1, 0).neg_();
  EXPECT_TRUE(at::allclose(mean_cosine_similarity(a, b), at::full({2, 4}, 1.0 / 3, options)));
}

}  // namespace
}  // namespace lazymar
