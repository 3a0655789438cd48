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

TEST(Ops, SiluIsTheFormula) {
  const at::Tensor x = at::cat(
      {at::linspace(-30, 30, 6001), at::tensor({-1e30, -200.0, -87.5, 0.0, 88.5, 200.0, 1e30})});
  const at::Tensor exact = at::silu(x.to(c10::kDouble));
  EXPECT_TRUE(at::allclose(lazymar::silu(x.to(c10::kDouble)), exact, 1e-15, 1e-15));
  const at::Tensor single = lazymar::silu(x.to(c10::kFloat));
  EXPECT_TRUE(at::allclose(single.to(c10::kDouble), at::silu(x.to(c10::kFloat).to(c10::kDouble)),
                           4e-7, 1e-30));
  EXPECT_TRUE(lazymar::silu(at::tensor({std::nanf("")})).isnan().item<bool>());
  const at::Tensor image = at::randn({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::allclose(lazymar::silu(image), at::silu(image)));
  EXPECT_TRUE(lazymar::silu(image).is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::allclose(lazymar::silu(image.slice(3, 1, 4)), at::silu(image.slice(3, 1, 4))));
}

TEST(Ops, SiluDependsOnTheValueAlone) {
  const at::Tensor x = at::randn({100003});
  const at::Tensor y = lazymar::silu(x);
  for (const int64_t first : {1, 2, 3, 5, 7, 64, 16383}) {
    for (const int64_t count : {1, 2, 3, 7, 15, 17, 1000, 40001}) {
      EXPECT_TRUE(at::equal(lazymar::silu(x.narrow(0, first, count)), y.narrow(0, first, count)))
          << first << "+" << count;
    }
  }
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
