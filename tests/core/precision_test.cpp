#include "core/precision.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace lazymar {
namespace {

TEST(Precision, NamesAreReadAndWritten) {
  for (const Precision precision : precisions()) {
    EXPECT_EQ(parse_precision(to_string(precision)), precision);
  }
  EXPECT_TRUE(parse_precision("auto").is_auto());
  EXPECT_EQ(to_string(Precision()), "auto");
  EXPECT_EQ(precision_names(), (std::vector<std::string>{"auto", "bf16", "fp16", "int8",
                                                         "int8_fp32", "fp32", "fp64"}));
  EXPECT_TRUE(testing::contains(
      testing::refused([] { parse_precision("int9"); }),
      "int9: did you mean int8? use auto, bf16, fp16, int8, int8_fp32, fp32 or fp64"));
}

TEST(Precision, Int8CanBeChosenByLayer) {
  const Precision some = parse_precision("int8:qkv,fc1");
  EXPECT_EQ(to_string(some), "int8:qkv,fc1");
  EXPECT_EQ(parse_precision("int8:qkv,fc1"), some);
  EXPECT_EQ(some->formats.of(LayerRole::kQkv), "int8");
  EXPECT_EQ(some->formats.of(LayerRole::kMlpIn), "int8");
  EXPECT_EQ(some->formats.of(LayerRole::kMlpOut), "bf16");
  const Precision all = parse_precision("int8");
  EXPECT_EQ(all->formats.of(LayerRole::kMlpOut), "int8");
  EXPECT_EQ(all->formats.of(LayerRole::kHead), "bf16");
  EXPECT_EQ(all->formats.of(LayerRole::kExact), "fp32");
  const Precision wide = parse_precision("int8_fp32:fc1");
  EXPECT_EQ(wide->formats.of(LayerRole::kMlpIn), "int8");
  EXPECT_EQ(wide->formats.of(LayerRole::kQkv), "fp32");
  EXPECT_EQ(parse_precision("int8_fp32")->formats.of(LayerRole::kHead), "fp32");
  for (const char* text : {"int8:", "int8:head", "int8:qkv,,fc1", "int8_fp32:"}) {
    EXPECT_TRUE(testing::contains(testing::refused([&] { parse_precision(text); }),
                                  "use some of qkv, proj, fc1, fc2"))
        << text;
  }
}

TEST(Precision, AutoIsResolvedAndTheRestIsItself) {
  const std::string_view found = to_string(resolve_precision({}, /*on_cpu=*/true));
  EXPECT_TRUE(found == "bf16" || found == "fp32");
  EXPECT_EQ(to_string(resolve_precision({}, /*on_cpu=*/false)), "bf16");
  EXPECT_EQ(to_string(resolve_precision(parse_precision("fp16"), /*on_cpu=*/false)), "fp16");
  EXPECT_TRUE(testing::contains(
      testing::refused([] { resolve_precision(parse_precision("fp16"), /*on_cpu=*/true); }),
      "precision fp16: for GPUs"));
  EXPECT_TRUE(testing::contains(
      testing::refused([] { resolve_precision(parse_precision("int8"), /*on_cpu=*/false); }),
      "precision int8: for CPUs"));
  for (const char* name : {"fp32", "fp64"}) {
    EXPECT_EQ(to_string(resolve_precision(parse_precision(name), /*on_cpu=*/true)), name);
  }
}

TEST(Precision, RoundingSparesWhatTheDiffusionProcessWouldMagnify) {
  const LayerFormats& formats = parse_precision("bf16")->formats;
  EXPECT_EQ(formats.of(LayerRole::kExact), "fp32");
  EXPECT_EQ(formats.of(LayerRole::kMlpOut), "bf16");
  const LayerFormats mixed = formats.with(LayerRole::kMlpOut, "fp16");
  EXPECT_EQ(mixed.of(LayerRole::kMlpOut), "fp16");
  EXPECT_EQ(mixed.of(LayerRole::kMlpIn), "bf16");
  const LayerFormats replaced = mixed.replaced("bf16", "fp64");
  EXPECT_EQ(replaced.of(LayerRole::kMlpOut), "fp16");
  EXPECT_EQ(replaced.of(LayerRole::kMlpIn), "fp64");
  EXPECT_EQ(replaced.of(LayerRole::kExact), "fp32");
}

TEST(Precision, UnsoundImagesAreMadeAgainInOneThatRoundsLess) {
  for (const Precision precision : precisions()) {
    if (!precision->retry_in.empty()) {
      EXPECT_LT(parse_precision(precision->retry_in)->verify_tolerance,
                precision->verify_tolerance);
    }
  }
  EXPECT_EQ(parse_precision("bf16")->retry_in, "fp32");
  EXPECT_EQ(parse_precision("fp16")->retry_in, "fp32");
  EXPECT_EQ(parse_precision("fp32")->retry_in, "");
}

}  // namespace
}  // namespace lazymar
