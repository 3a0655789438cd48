#include "method/sampling_options.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace lazymar {
namespace {

TEST(CfgSchedule, NamesAreReadAndWritten) {
  EXPECT_EQ(parse_cfg_schedule("linear"), CfgSchedule::kLinear);
  EXPECT_EQ(parse_cfg_schedule(to_string(CfgSchedule::kConstant)), CfgSchedule::kConstant);
  testing::refused([] { parse_cfg_schedule("cosine"); });
}

}  // namespace
}  // namespace lazymar
