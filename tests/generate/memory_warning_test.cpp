#include "generate/memory_warning.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace lazymar {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

TEST(MemoryWarning, ComesWhenWeightsDoNotFit) {
  const MemoryRoom room{1000 * kMiB, "SLURM_MEM_PER_NODE"};
  EXPECT_EQ(memory_warning(600 * kMiB, room, 1), "");
  EXPECT_EQ(memory_warning(int64_t{1} << 50, std::nullopt, 1), "") << "nothing is known";
  EXPECT_TRUE(testing::contains(memory_warning(600 * kMiB, room, 2), "in each of 2 processes"));
  const std::string warning = memory_warning(900 * kMiB, room, 1);
  for (const char* part : {"0.9 GiB", "1.0 GiB", "SLURM_MEM_PER_NODE", "may kill the run"}) {
    EXPECT_TRUE(testing::contains(warning, part)) << warning;
  }
}

TEST(MemoryWarning, CountsNumbersByPrecision) {
  ModelRequest request;
  request.model = "demo";
  request.checkpoint_dir = LAZYMAR_SOURCE_DIR "/pretrained_models";
  const OpenModel files = open_model(request);
  const int64_t bf16 = weight_bytes(files, parse_precision("bf16"));
  EXPECT_GT(bf16, 6 * kMiB);  // 3.2 million
  EXPECT_LT(bf16, 7 * kMiB);
  EXPECT_EQ(weight_bytes(files, parse_precision("fp32")), 2 * bf16);
  EXPECT_EQ(2 * weight_bytes(files, parse_precision("int8")), bf16);
  EXPECT_EQ(weight_bytes({}, parse_precision("fp32")), 0) << "random weights";
}

}  // namespace
}  // namespace lazymar
