#include "run/fault_injection.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::TemporaryFolder;

TEST(FaultInjection, StrikeOncePerFolder) {
  const TemporaryFolder folder;
  const FaultInjection faults("oom@shard:3,nan@image:17", folder.path());
  EXPECT_FALSE(faults.strikes(FaultKind::kOutOfMemory, 2));
  EXPECT_FALSE(faults.strikes(FaultKind::kNan, 3));
  EXPECT_TRUE(faults.strikes(FaultKind::kOutOfMemory, 3));
  EXPECT_FALSE(faults.strikes(FaultKind::kOutOfMemory, 3));
  EXPECT_FALSE(FaultInjection("oom@shard:3", folder.path()).strikes(FaultKind::kOutOfMemory, 3));
  EXPECT_TRUE(faults.strikes(FaultKind::kNan, 17));
}

TEST(FaultInjection, StrikeAsOftenAsAsked) {
  const TemporaryFolder folder;
  const FaultInjection faults("kill@shard:1*2,flat@image:4*", folder.path());
  EXPECT_TRUE(faults.strikes(FaultKind::kKill, 1));
  EXPECT_TRUE(faults.strikes(FaultKind::kKill, 1));
  EXPECT_FALSE(faults.strikes(FaultKind::kKill, 1));
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(faults.strikes(FaultKind::kConstant, 4));
  }
}

TEST(FaultInjection, NoneWithoutASpecification) {
  const TemporaryFolder folder;
  EXPECT_FALSE(FaultInjection("", folder.path()).strikes(FaultKind::kKill, 0));
}

TEST(FaultInjection, WhatIsNotUnderstoodIsNamed) {
  for (const char* text : {"oom", "oom@image:3", "nan@shard:1", "fire@shard:1", "oom@shard:x",
                           "oom@shard:1,,", "kill@shard:99999999999"}) {
    EXPECT_TRUE(
        testing::contains(testing::refused([&] { FaultInjection(text, "/tmp"); }), kFaultVariable))
        << text;
  }
}

}  // namespace
}  // namespace lazymar
