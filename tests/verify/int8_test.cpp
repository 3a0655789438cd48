// --precision int8 on recorded runs of the original.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "core/precision.h"
#include "verify/verify.h"

namespace lazymar {
namespace {

ExitCode verified(const char* trace, const char* precision, const char* tolerance) {
  const std::string path =
      (std::filesystem::path(LAZYMAR_SOURCE_DIR) / "tests/data/traces" / trace).string();
  const std::vector<const char*> line{"lazymar_verify", "--device",    "cpu",
                                      "--trace",        path.c_str(),  "--precision",
                                      precision,        "--tolerance", tolerance};
  return verify(parse_verify_options(static_cast<int>(line.size()), line.data()).options);
}

TEST(Int8, ReplaysRunsOfTheOriginal) {
  if (!parse_precision("int8")->cpu.works()) {
    GTEST_SKIP() << "SKIPPED: this CPU has no AVX512_VNNI";
  }
  constexpr const char* kTrace = "small-lazy-32";
  constexpr const char* kClose = "8e-5";  // bf16: 4.4e-5; int8: 5.3e-4
  EXPECT_EQ(verified(kTrace, "int8", "2e-3"), ExitCode::kDone);
  // The controls: it is not bf16 by another name, and each kind of layer is rounded.
  EXPECT_EQ(verified(kTrace, "bf16", kClose), ExitCode::kDone);
  EXPECT_EQ(verified(kTrace, "int8", kClose), ExitCode::kFailed);
  for (const char* some : {"int8:qkv", "int8:proj", "int8:fc1", "int8:fc2"}) {
    EXPECT_EQ(verified(kTrace, some, "1e-3"), ExitCode::kDone) << some;
    EXPECT_EQ(verified(kTrace, some, kClose), ExitCode::kFailed) << some;
  }
}

}  // namespace
}  // namespace lazymar
