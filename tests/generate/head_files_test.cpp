#include "generate/head_files.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "generate/command.h"
#include "run/head_recording.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::refused;
using testing::TemporaryFolder;

/// A few short steps of the demo checkpoint.
EvalOptions quick_run(const TemporaryFolder& folder, const TemporaryFolder& features) {
  EvalOptions options;
  options.model.model = "demo";
  options.model.resume = std::filesystem::path(LAZYMAR_SOURCE_DIR) / "pretrained_models/mar/demo";
  options.sampling.num_iter = 8;
  options.sampling.num_sampling_steps = 4;
  options.num_images = 2;
  options.eval_bsz = 2;
  options.output_dir = folder.path();
  options.record_drift = features.path();
  return options;
}

TEST(HeadFiles, AFileIsOfBoundedSize) {
  const TemporaryFolder folder;
  const TemporaryFolder features;
  EvalOptions options = quick_run(folder, features);
  options.record_head = 257;
  EXPECT_TRUE(testing::contains(refused([&] { evaluate(options); }),
                                "--record_head: 257 tokens are more than the image's 256"));
  options.record_head = 200;
  options.sampling.num_sampling_steps = 1000;
  EXPECT_TRUE(testing::contains(refused([&] { evaluate(options); }), "more than 64; use"));
  EXPECT_TRUE(head_recording_files(features.path()).empty());
}

/// Images drawn before without it have no features of the head.
TEST(HeadFiles, ThoseThatAreMissingAreReported) {
  const TemporaryFolder folder;
  const TemporaryFolder features;
  EvalOptions options = quick_run(folder, features);
  evaluate(options);
  options.record_head = 3;
  EXPECT_TRUE(testing::contains(refused([&] { evaluate(options); }), "nothing was recorded"));
}

}  // namespace
}  // namespace lazymar
