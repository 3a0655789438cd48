// Similarity, selection and rows by index, compared with their twins in plain ATen.
#include "nn/plain_ops.h"
#include "support/kernel_device.h"

namespace lazymar {
namespace {

using testing::near;
using testing::there;

class SelectionKernels : public testing::KernelTest {};

TEST_F(SelectionKernels, SimilarityIsItsTwin) {
  for (const c10::ScalarType type : {c10::kDouble, c10::kFloat, c10::kBFloat16, c10::kHalf}) {
    for (const auto& [heads, dim] :
         {std::pair<int64_t, int64_t>{1, 5}, {12, 64}, {16, 80}, {3, 33}}) {
      const int64_t width = heads * dim;
      const at::Tensor a = at::randn({2, 13, 2 * width}).to(type);
      at::Tensor b = (a.to(c10::kFloat) + 0.5 * at::randn({2, 13, 2 * width})).to(type);
      b[1][3].zero_();  // a row without a direction
      const at::Tensor held_a = there(a);
      const at::Tensor held_b = there(b);
      const auto values = [&](const at::Tensor& t) { return t.narrow(2, width, width); };
      const at::Tensor expected = plain::mean_cosine_similarity(values(a), values(b), heads);
      const double tolerance = type == c10::kDouble ? 1e-12 : 2e-6;
      EXPECT_TRUE(near(ops.mean_cosine_similarity(values(held_a), values(held_b), heads), expected,
                       tolerance));
      EXPECT_FALSE(
          near(ops.mean_cosine_similarity(values(held_a), held_b.narrow(2, 0, width), heads),
               expected, tolerance));
    }
  }
}

/// A list of every row for each image, as rows_in_raster_order() makes it.
at::Tensor lists(int64_t images, int64_t length) {
  at::Tensor out = at::empty({images, length}, c10::kLong);
  for (int64_t i = 0; i < images; ++i) {
    out[i] = at::randperm(length);
  }
  return out;
}

TEST_F(SelectionKernels, SelectionIsItsTwin) {
  for (const c10::ScalarType type : {c10::kFloat, c10::kDouble}) {
    for (const int64_t length : {1, 7, 22, 320, 333}) {
      // Few different scores: most rows tie with others.
      for (const bool ties : {false, true}) {
        at::Tensor scores = at::randn({3, length}, type);
        scores = ties ? (scores * 2).round() / 2 : scores;
        const at::Tensor raster = lists(3, length);
        for (const int64_t count : {int64_t{1}, (length + 1) / 3 + 1, length}) {
          const RowSelection selection{length / 4, length / 3, length / 2, std::min(count, length)};
          const at::Tensor expected = plain::least_similar_rows(scores, raster, selection);
          EXPECT_TRUE(at::equal(
              ops.least_similar_rows(there(scores), there(raster), selection).cpu(), expected))
              << length << " " << count << " " << ties;
        }
      }
    }
  }
}

TEST_F(SelectionKernels, SelectionOfOddScoresIsItsTwin) {
  at::Tensor scores = at::randn({2, 40});
  scores.narrow(1, 3, 9).fill_(NAN);  // ranks highest
  scores.narrow(1, 20, 5).fill_(-INFINITY);
  scores.narrow(1, 30, 3).fill_(INFINITY);
  const at::Tensor raster = lists(2, 40);
  for (const int64_t count : {5, 33, 38, 40}) {
    const RowSelection selection{14, 16, 18, count};
    EXPECT_TRUE(at::equal(ops.least_similar_rows(there(scores), there(raster), selection).cpu(),
                          plain::least_similar_rows(scores, raster, selection)))
        << count;
  }
  // The control: ties follow the list's order, so another list gives another choice.
  const at::Tensor equal = at::zeros({1, 40});
  const RowSelection some{0, 0, 0, 5};
  EXPECT_FALSE(at::equal(ops.least_similar_rows(there(equal), there(lists(1, 40)), some).cpu(),
                         plain::least_similar_rows(equal, at::arange(40).unsqueeze(0), some)));
}

TEST_F(SelectionKernels, RowsAreTakenAndWritten) {
  for (const c10::ScalarType type : {c10::kDouble, c10::kFloat, c10::kBFloat16, c10::kHalf}) {
    for (const int64_t width : {1, 6, 8, 2560}) {
      // Columns of a wider table: rows are not contiguous.
      const at::Tensor table = at::randn({3, 11, width + 3}).to(type);
      const at::Tensor x = table.narrow(2, 1, width);
      at::Tensor held = there(table.clone()).narrow(2, 1, width);
      const at::Tensor rows = lists(3, 11).narrow(1, 2, 4);
      EXPECT_TRUE(at::equal(ops.take_rows(held, there(rows)).cpu(), plain::take_rows(x, rows)));
      const at::Tensor source = at::randn({3, 4, width}).to(type);
      at::Tensor twin = x.clone();
      plain::write_rows(twin, rows, source);
      ops.write_rows(held, there(rows), there(source));
      EXPECT_TRUE(at::equal(held.cpu(), twin));
      EXPECT_FALSE(at::equal(held.cpu(), x));
    }
  }
}

}  // namespace
}  // namespace lazymar
