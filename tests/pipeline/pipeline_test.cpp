#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "support/errors.h"

namespace lazymar {
namespace {

PipelineOptions demo() {
  PipelineOptions options;
  options.model.model = "demo";
  options.model.resume = std::filesystem::path(LAZYMAR_SOURCE_DIR) / "pretrained_models/mar/demo";
  options.model.vae_path =
      std::filesystem::path(LAZYMAR_SOURCE_DIR) / "pretrained_models/vae/demo.safetensors";
  options.method.precision = parse_precision("fp32");
  options.method.sampling.num_iter = 4;
  options.method.sampling.num_sampling_steps = 10;
  options.device = "cpu";
  options.threads = 1;
  return options;
}

TEST(Pipeline, DrawsTheImagesThatAreAskedFor) {
  Pipeline pipeline = Pipeline::open(demo());
  double last = -1;
  const Images both = pipeline.generate({3, 8}, {1, 7}, [&](double done) { last = done; });
  ASSERT_EQ(both.count, 2);
  ASSERT_EQ(both.pixels.size(), static_cast<size_t>(2 * both.height * both.width * 3));
  EXPECT_EQ(both.height, pipeline.info().image_size);
  EXPECT_EQ(both.sound, (std::vector<bool>{true, true}));
  EXPECT_GT(last, 0.5);
  EXPECT_LT(last, 1.0);
  // The order of the batch does not matter; another id draws another image.
  const Images swapped = pipeline.generate({8, 3}, {7, 1});
  const size_t size = both.pixels.size() / 2;
  EXPECT_TRUE(std::equal(both.pixels.begin(), both.pixels.begin() + static_cast<int64_t>(size),
                         swapped.pixels.begin() + static_cast<int64_t>(size)));
  const Images another = pipeline.generate({4, 8}, {1, 7});
  EXPECT_FALSE(std::equal(both.pixels.begin(), both.pixels.begin() + static_cast<int64_t>(size),
                          another.pixels.begin()));
}

TEST(Pipeline, RefusesWhatTheModelDoesNotHave) {
  Pipeline pipeline = Pipeline::open(demo());
  EXPECT_EQ(pipeline.info().class_count, 10);
  EXPECT_EQ(pipeline.info().decoding_steps, 4);
  EXPECT_TRUE(testing::contains(testing::refused([&] { pipeline.generate({0}, {10}); }), "0 to 9"));
  testing::refused([&] { pipeline.generate({0, 1}, {1}); });
  testing::refused([&] { pipeline.generate({}, {}); });
  PipelineOptions options = demo();
  options.method.sampling.num_iter = 0;
  try {
    Pipeline::open(options);
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_EQ(error.setting(), "num_iter") << error.what();
  }
}

}  // namespace
}  // namespace lazymar
