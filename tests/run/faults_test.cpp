#include "lazymar/run/faults.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::TemporaryFolder;

TEST(Faults, StrikeOncePerFolder) {
  const TemporaryFolder folder;
  const Faults faults("oom@block:3,nan@image:17", folder.path());
  EXPECT_FALSE(faults.strikes(FaultKind::kOutOfMemory, 2));
  EXPECT_FALSE(faults.strikes(FaultKind::kNan, 3));
  EXPECT_TRUE(faults.strikes(FaultKind::kOutOfMemory, 3));
  EXPECT_FALSE(faults.strikes(FaultKind::kOutOfMemory, 3));
  EXPECT_FALSE(Faults("oom@block:3", folder.path()).strikes(FaultKind::kOutOfMemory, 3));
  EXPECT_TRUE(faults.strikes(FaultKind::kNan, 17));
}

TEST(Faults, StrikeAsOftenAsAsked) {
  const TemporaryFolder folder;
  const Faults faults("kill@block:1*2,flat@image:4*", folder.path());
  EXPECT_TRUE(faults.strikes(FaultKind::kKill, 1));
  EXPECT_TRUE(faults.strikes(FaultKind::kKill, 1));
  EXPECT_FALSE(faults.strikes(FaultKind::kKill, 1));
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(faults.strikes(FaultKind::kConstant, 4));
  }
}

TEST(Faults, NoneWithoutASpecification) {
  const TemporaryFolder folder;
  EXPECT_FALSE(Faults("", folder.path()).strikes(FaultKind::kKill, 0));
}

TEST(Faults, WhatIsNotUnderstoodIsNamed) {
  for (const char* text : {"oom", "oom@image:3", "nan@block:1", "fire@block:1", "oom@block:x",
                           "oom@block:1,,", "kill@block:99999999999"}) {
    EXPECT_TRUE(testing::contains(testing::refused([&] { Faults(text, "/tmp"); }), kFaultVariable))
        << text;
  }
}

}  // namespace
}  // namespace lazymar
