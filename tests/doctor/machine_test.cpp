#include "doctor/machine.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::TemporaryFolder;

std::string fact(const Findings& findings, const std::string& name) {
  for (const auto& [key, value] : findings.facts) {
    if (key == name) {
      return value;
    }
  }
  return "";
}

Findings launcher(const std::map<std::string, std::string>& variables) {
  Findings findings;
  examine_launcher(
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      findings);
  return findings;
}

TEST(Doctor, ACompleteLauncherIsNamed) {
  const Findings findings = launcher(
      {{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "2"}});
  EXPECT_TRUE(findings.problems.empty());
  EXPECT_TRUE(contains(fact(findings, "launcher"), "process 1 of 2"));
  EXPECT_TRUE(contains(fact(findings, "variables"), "RANK=1 WORLD_SIZE=2"));
  EXPECT_TRUE(contains(fact(launcher({}), "launcher"), "none"));
}

TEST(Doctor, HalfALauncherIsAProblem) {
  const Findings findings = launcher({{"RANK", "1"}});
  ASSERT_EQ(findings.problems.size(), 1U);
  EXPECT_TRUE(contains(findings.problems[0], "RANK is set and WORLD_SIZE is not"));
}

TEST(Doctor, AFolderThatCannotBeWrittenIsAProblem) {
  const TemporaryFolder folder;
  DoctorOptions options;
  options.output_dir = folder.path() / "new/run";
  Findings findings;
  examine_room(options, findings);
  EXPECT_TRUE(findings.problems.empty());
  EXPECT_TRUE(contains(fact(findings, "disk"), "GiB free"));
  testing::write_text(folder.path() / "file", "");
  options.output_dir = folder.path() / "file/run";
  Findings refused;
  examine_room(options, refused);
  ASSERT_EQ(refused.problems.size(), 1U);
  EXPECT_TRUE(contains(refused.problems[0], "--output_dir"));
}

TEST(Doctor, ADeviceThatIsNotThereIsAProblem) {
  Findings findings;
  examine_build({.checkpoint_dir = std::nullopt, .device = "cuda:4095"}, findings);
  ASSERT_EQ(findings.problems.size(), 1U);
  EXPECT_TRUE(contains(findings.problems[0], "--device cuda:4095"));
  Findings fine;
  examine_build({.checkpoint_dir = std::nullopt, .device = "cpu"}, fine);
  EXPECT_TRUE(fine.problems.empty());
  EXPECT_TRUE(contains(fact(fine, "precision"), "auto is "));
}

}  // namespace
}  // namespace lazymar
