#include "nn/block.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nn/flops.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

Block random_block(bool tanh_gelu = false) {
  testing::RicherRandomWeights weights({parse_precision("fp64")});
  return load_block(weights, "b", {16, 4, 32, 1e-6, tanh_gelu});
}

/// The block written out: timm's layout of qkv is [3, heads, head_dim].
at::Tensor written_out(const Block& block, const at::Tensor& x) {
  const int64_t rows = x.size(1);
  const at::Tensor normed = block.norm1(x);
  const at::Tensor qkv = at::cat({block.q_proj(normed), block.kv_proj(normed)}, 2);
  std::vector<at::Tensor> heads;
  for (int64_t h = 0; h < 4; ++h) {
    const at::Tensor q = qkv.narrow(2, h * 4, 4);
    const at::Tensor k = qkv.narrow(2, 16 + h * 4, 4);
    const at::Tensor v = qkv.narrow(2, 32 + h * 4, 4);
    heads.push_back((q.matmul(k.transpose(1, 2)) / 2.0).softmax(-1).matmul(v));
  }
  EXPECT_EQ(heads.front().size(1), rows);
  const at::Tensor attended = x + block.proj(at::cat(heads, 2));
  const at::Tensor hidden = block.fc1(block.norm2(attended));
  const at::Tensor gelu = 0.5 * hidden * (1 + at::erf(hidden / std::sqrt(2.0)));
  return attended + block.fc2(gelu);
}

TEST(Block, IsTheFormula) {
  const Block block = random_block();
  const at::Tensor x = at::randn({2, 7, 16}, c10::kDouble);
  EXPECT_LT(testing::relative_error(block(x), written_out(block, x)), 1e-13);
}

TEST(Block, TanhGeluIsAnotherBlock) {
  const at::Tensor x = at::randn({2, 7, 16}, c10::kDouble);
  const Block block = random_block(true);
  EXPECT_GT(testing::relative_error(block(x), written_out(block, x)), 1e-7);
}

TEST(Block, TakenApartItIsTheSame) {
  const Block block = random_block();
  const at::Tensor x = at::randn({2, 7, 16}, c10::kDouble);
  const at::Tensor normed = block.normed(x);
  const at::Tensor before = x.clone();
  const at::Tensor out = block.rest(x, block.queries(normed), block.keys_values(normed));
  EXPECT_LT(testing::relative_error(out, block(x)), 1e-14);
  EXPECT_TRUE(at::equal(x, before));
}

TEST(Block, OneProductOfQueriesKeysAndValuesIsTwo) {
  const Block block = random_block();
  const at::Tensor normed = block.normed(at::randn({2, 7, 16}, c10::kDouble));
  ASSERT_TRUE(block.qkv_proj.loaded());
  const auto [q, kv] = block.queries_keys_values(normed);
  EXPECT_LT(testing::relative_error(q, block.queries(normed)), 1e-14);
  EXPECT_LT(testing::relative_error(kv, block.keys_values(normed)), 1e-14);
  EXPECT_GT(testing::relative_error(q, kv.narrow(2, 0, 16)), 0.1);
  // Packed weights cannot be sliced, so there are two layers.
  testing::RicherRandomWeights weights({parse_precision("fp32")});
  const Block packed = load_block(weights, "b", {16, 4, 32, 1e-6, false});
  ASSERT_EQ(packed.q_proj.dense(), nullptr);
  EXPECT_FALSE(packed.qkv_proj.loaded());
  const auto [q32, kv32] = packed.queries_keys_values(normed.to(c10::kFloat));
  EXPECT_TRUE(at::equal(q32, packed.queries(normed.to(c10::kFloat))));
  EXPECT_TRUE(at::equal(kv32, packed.keys_values(normed.to(c10::kFloat))));
}

TEST(Block, CountsRowsAndFlops) {
  work_count() = {};
  random_block()(at::randn({2, 7, 16}, c10::kDouble));
  EXPECT_EQ(work_count().block_rows, 14);
  const int64_t weights = 16 * 48 + 16 * 16 + 2 * 16 * 32;
  EXPECT_EQ(work_count().flops, 2 * 14 * weights + 2 * 2 * 2 * 7 * 7 * 16);
}

}  // namespace
}  // namespace lazymar
