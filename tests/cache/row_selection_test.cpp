#include "cache/row_selection.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cache/row_ops.h"

namespace lazymar {
namespace {

at::Tensor index(const std::vector<int64_t>& values) {
  return at::tensor(values).unsqueeze(0);
}

/// Six tokens, two buffer rows (6 and 7); rows 1, 2 are predicted, row 3 was just decoded.
struct Example {
  at::Tensor orders = index({4, 0, 3, 5, 1, 2});
  DecodeStep step;
  Example() {
    step.first = 1;
    step.masked = 3;
    step.masked_before = 4;
  }
  std::vector<int64_t> select(const std::vector<float>& similarity, int64_t count) const {
    const at::Tensor rows = least_similar_rows(at::tensor(similarity).unsqueeze(0),
                                               rows_in_raster_order(orders, 2), step, count);
    return {rows.data_ptr<int64_t>(), rows.data_ptr<int64_t>() + rows.numel()};
  }
};

TEST(RowSelection, SimilarityIsTheMeanOverHeads) {
  const auto options = at::TensorOptions().dtype(c10::kDouble);
  const at::Tensor a = at::randn({2, 4, 24}, options);
  at::Tensor b = a.clone();
  EXPECT_TRUE(at::allclose(mean_cosine_similarity(a, b, 3), at::ones({2, 4}, options)));
  b.narrow(2, 0, 8).neg_();
  EXPECT_TRUE(at::allclose(mean_cosine_similarity(a, b, 3), at::full({2, 4}, 1.0 / 3, options)));
}

TEST(RowSelection, RasterOrderStartsWithTheBuffer) {
  EXPECT_TRUE(
      at::equal(rows_in_raster_order(Example().orders, 2), index({6, 7, 1, 4, 5, 2, 0, 3})));
}

TEST(RowSelection, NewRowsComeFirstThenTheLeastSimilar) {
  // Rows 1, 2, 3 score 0 whatever their similarity; of the others, 5 and then 7 changed most.
  const std::vector<float> similarity{0.9F, 1, 1, 1, 0.8F, 0.2F, 0.7F, 0.3F};
  EXPECT_EQ(Example().select(similarity, 5), (std::vector<int64_t>{1, 2, 3, 5, 7}));
}

TEST(RowSelection, OfEqualRowsTheLowerRasterPositionWins) {
  // Rows 4 (token 1), 0 (token 4) and the buffer's 6 have equal similarity.
  const std::vector<float> similarity{0.5F, 1, 1, 1, 0.5F, 0.9F, 0.5F, 0.9F};
  EXPECT_EQ(Example().select(similarity, 5), (std::vector<int64_t>{1, 2, 3, 4, 6}));
}

TEST(RowSelection, NegativeSimilaritiesMayPushNewRowsOut) {
  const std::vector<float> similarity{-0.1F, 1, 1, 1, -0.2F, -0.3F, 0.5F, 0.5F};
  // Token 5 (row 3) has the highest raster position of the rows that score 0.
  EXPECT_EQ(Example().select(similarity, 5), (std::vector<int64_t>{1, 2, 0, 4, 5}));
}

TEST(RowSelection, WhatIsPredictedComesBackInItsPlace) {
  const Example example;
  const at::Tensor x = at::arange(10).view({1, 5, 2});
  const at::Tensor both = predicted_rows(x, index({1, 2, 0, 4, 5}), example.step);
  EXPECT_TRUE(at::equal(both, x.narrow(1, 0, 2)));
  // Row 1 was pushed out: it is zero, and row 2 stays where it belongs.
  const at::Tensor one = predicted_rows(x, index({2, 0, 4, 5, 7}), example.step);
  EXPECT_TRUE(at::equal(one, at::tensor({0, 0, 0, 1}, c10::kLong).view({1, 2, 2})));
}

TEST(RowSelection, LeavesItsInputAlone) {
  const at::Tensor similarity = at::ones({1, 8});
  const Example example;
  least_similar_rows(similarity, rows_in_raster_order(example.orders, 2), example.step, 4);
  EXPECT_TRUE(at::equal(similarity, at::ones({1, 8})));
}

}  // namespace
}  // namespace lazymar
