#include "cache/lazymar_head.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <utility>

#include "nn/flops.h"
#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

at::Tensor sample(HeadRunner& runner, const Mar& mar, int64_t halves, int64_t steps = 30) {
  HeadSampler sampler(mar.head, testing::ddpm(steps));
  auto generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const at::Tensor noise = at::randn({steps + 1, 3, mar.head.channels()}, generator, c10::kDouble);
  const at::Tensor z = at::randn({halves * 3, 32}, generator, c10::kDouble);
  return sampler.sample(runner, {z, noise, 0, halves, 2.5, 1.0});
}

TEST(LazyMarHeadRunner, WindowsAreTheSameAsStepByStep) {
  for (const int64_t depth : {1, 6, 8}) {
    MarConfig config = testing::tiny_config();
    config.head_depth = depth;
    const Mar mar = testing::tiny_mar(config);
    for (const int64_t halves : {1, 2}) {
      for (const int64_t refresh : {2, 7, 100}) {
        // Chunks of modulation that end within a window, and at its end.
        for (const int64_t rows : {1, 9, 1000}) {
          LazyMarHeadRunner step_by_step(refresh);
          LazyMarHeadRunner windows(refresh, rows);
          windows.use_windows();
          work_count() = {};
          const at::Tensor expected = sample(step_by_step, mar, halves);
          const int64_t flops = std::exchange(work_count(), {}).flops;
          EXPECT_LT(testing::relative_error(sample(windows, mar, halves), expected), 1e-10);
          EXPECT_EQ(work_count().flops, flops);
          LazyMarHeadRunner other(refresh == 2 ? 3 : 2);
          other.use_windows();
          EXPECT_GT(testing::relative_error(sample(other, mar, halves), expected), 1e-9);
        }
      }
    }
  }
}

TEST(LazyMarHeadRunner, RefreshingEveryStepIsTheFullHead) {
  for (const int64_t depth : {1, 2, 5, 8}) {
    MarConfig config = testing::tiny_config();
    config.head_depth = depth;
    const Mar mar = testing::tiny_mar(config);
    for (const int64_t halves : {1, 2}) {
      FullHeadRunner full;
      LazyMarHeadRunner always(1);
      LazyMarHeadRunner sometimes(7);
      const at::Tensor expected = sample(full, mar, halves);
      EXPECT_LT(testing::relative_error(sample(always, mar, halves), expected), 1e-12);
      // The control: reuse must be visible.
      EXPECT_GT(testing::relative_error(sample(sometimes, mar, halves), expected), 1e-9);
    }
  }
}

TEST(LazyMarHeadRunner, ModulationAheadIsTheSameAsStepByStep) {
  const Mar mar = testing::tiny_mar();
  for (const int64_t steps : {1, 2, 30, 100}) {
    for (const int64_t rows : {7, 40, 1000}) {
      LazyMarHeadRunner ahead(7, rows);
      LazyMarHeadRunner step_by_step(7, 1);
      work_count() = {};
      const at::Tensor tokens = sample(ahead, mar, 2, steps);
      const int64_t flops = work_count().flops;
      work_count() = {};
      EXPECT_LT(testing::relative_error(tokens, sample(step_by_step, mar, 2, steps)), 1e-9);
      EXPECT_EQ(flops, work_count().flops);
    }
  }
}

TEST(LazyMarHeadRunner, ComputesTheRowsThatItsScheduleSays) {
  const Mar mar = testing::tiny_mar();  // six blocks
  LazyMarHeadRunner cache(7);
  work_count() = {};
  sample(cache, mar, 2, 30);
  // Full: 29, 28, 21, 14, 7, 0, both halves of 3 rows, 6 blocks. None of the others is above
  // 0.9 * 30, so no block's mlp is recomputed.
  EXPECT_EQ(work_count().head_rows, 6 * 6 * 6);
  work_count() = {};
  sample(cache, mar, 2, 100);
  // Full: 99, 98, 91, ..., 7, 0: 16. Recomputed: 97 to 92, conditional rows, blocks 0 and 5.
  EXPECT_EQ(work_count().head_rows, 16 * 6 * 6 + 6 * 3 * 2);
}

TEST(LazyMarHeadRunner, ForgetsTheDecodingStepBefore) {
  const Mar mar = testing::tiny_mar();
  LazyMarHeadRunner used(7);
  LazyMarHeadRunner fresh(7);
  sample(used, mar, 1);
  EXPECT_TRUE(at::equal(sample(used, mar, 2), sample(fresh, mar, 2)));
}

}  // namespace
}  // namespace lazymar
