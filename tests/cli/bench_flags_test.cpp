#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/commands.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

BenchOptions parse(std::vector<std::string> words) {
  words.insert(words.begin(), "lazymar_bench");
  std::vector<const char*> argv;
  for (const std::string& word : words) {
    argv.push_back(word.c_str());
  }
  return parse_bench_options(static_cast<int>(argv.size()), argv.data()).options;
}

TEST(BenchOptions, BaselineAgainstLazyByDefault) {
  const BenchOptions options = parse({});
  ASSERT_EQ(options.arms.size(), 2U);
  EXPECT_EQ(options.arms[0].name, "baseline");
  EXPECT_FALSE(options.arms[0].method.lazy);
  EXPECT_EQ(options.arms[1].name, "lazy");
  EXPECT_TRUE(options.arms[1].method.lazy);
  EXPECT_EQ(options.batches, std::vector<int64_t>{1});
  EXPECT_FALSE(options.sample_steps);
}

TEST(BenchOptions, ListsOfModelsBatchesAndArms) {
  const BenchOptions options =
      parse({"--models", "mar_base,mar_huge", "--batch", "1,8,32", "--arms", "lazy,baseline,lazy"});
  EXPECT_EQ(options.models, (std::vector<std::string>{"mar_base", "mar_huge"}));
  EXPECT_EQ(options.batches, (std::vector<int64_t>{1, 8, 32}));
  EXPECT_EQ(options.arms.size(), 3U);
}

TEST(BenchOptions, ArmsWithFlagsOfTheirOwn) {
  const BenchOptions options =
      parse({"--precision", "bf16", "--num_iter", "32", "--arms",
             "baseline;  lazy --lazy_caches token,head --lazy_refresh=5;lazy --precision fp32 "
             "--num_iter 16 --eval_bsz 4"});
  ASSERT_EQ(options.arms.size(), 3U);
  EXPECT_EQ(options.arms[0].method.precision, parse_precision("bf16"));
  EXPECT_EQ(options.arms[0].method.sampling.num_iter, 32);
  EXPECT_EQ(options.arms[1].name, "lazy --lazy_caches token,head --lazy_refresh=5");
  EXPECT_FALSE(options.arms[1].method.lazy->condition);
  EXPECT_EQ(options.arms[1].method.lazy->refresh, 5);
  EXPECT_EQ(options.arms[2].method.precision, parse_precision("fp32")) << "the arm's own wins";
  EXPECT_EQ(options.arms[2].method.sampling.num_iter, 16);
  EXPECT_EQ(options.arms[2].batch, 4);
  EXPECT_EQ(parse({"--num_iter", "32", "--arms", "mar --tokens_per_step arccos:20"})
                .arms[0]
                .method.sampling.num_iter,
            20)
      << "the arm's own wins, by whatever name";
  EXPECT_EQ(parse({"--arms", "lazy --lazy-extra 3"}).arms[0].method.lazy->extra, 3);
}

TEST(BenchOptions, ArmsAreMethods) {
  const BenchOptions options = parse({"--arms", "mar,gtr-32,lazymar-gtr"});
  ASSERT_EQ(options.arms.size(), 3U);
  EXPECT_EQ(options.arms[1].name, "gtr-32");
  EXPECT_EQ(options.arms[1].method.method, "gtr-32");
  EXPECT_EQ(options.arms[1].method.plan.order, "checkerboard:3");
  EXPECT_TRUE(options.arms[2].method.lazy);
  EXPECT_EQ(parse({"--arms", "gtr-32 --detail 0.2:50"}).arms[0].method.plan.detail, "0.2:50");
  EXPECT_TRUE(contains(refused([] { parse({"--arms", "fast"}); }), "lazy or a --method"));
}

TEST(BenchOptions, TheHelpNamesEveryPrecision) {
  const char* help[] = {"lazymar_bench", "--help"};
  const std::string text = *parse_bench_options(2, help).text;
  EXPECT_PRED2(contains, text, "auto");
  for (const Precision precision : precisions()) {
    EXPECT_PRED2(contains, text, std::string(precision->name));
  }
}

TEST(BenchOptions, RefusalsNameTheArm) {
  const auto arms = [](const std::string& text) {
    return refused([&] { parse({"--arms", text}); });
  };
  EXPECT_PRED2(contains, arms("quick"),
               "\"quick\": an arm begins with baseline, lazy or a --method");
  EXPECT_PRED2(contains, arms("baseline,"), "an arm begins with");
  EXPECT_PRED2(contains, arms("baseline, lazy --num_iter 3"), "separated by semicolons");
  EXPECT_PRED2(contains, arms("lazy --model demo"),
               "--model is not an option of an arm; use --eval_bsz, --method, --num_iter");
  EXPECT_PRED2(contains, arms("lazy --help"), "--help is not");
  EXPECT_PRED2(contains, arms("lazy --lazy-refersh 3"), "did you mean --lazy_refresh?");
  EXPECT_PRED2(contains, arms("lazy --lazy_caches head --lazy_extra 3"), "without token");
  EXPECT_PRED2(contains, arms("lazy -h"), "-h is not");
  EXPECT_PRED2(contains, arms("baseline --lazy_refresh 3"), "no effect without --lazy_mar");
  EXPECT_PRED2(contains, arms("lazy; lazy --lazy_refresh 0"), "\" lazy --lazy_refresh 0\"");
  EXPECT_PRED2(contains, arms("lazy --precision fp8"), "--precision fp8");
  EXPECT_PRED2(contains, arms("lazy 3"), "unexpected argument");
}

TEST(BenchOptions, RefusesBadLists) {
  for (const char* text : {"", "0", "1,,2", "1,x", "-1", "100000"}) {
    EXPECT_PRED2(contains, refused([&] { parse({"--batch", text}); }), "--batch");
  }
  EXPECT_PRED2(contains, refused([] { parse({"--models", "mar_base,"}); }), "--models mar_base,");
  EXPECT_PRED2(contains, refused([] { parse({"--repeats", "0"}); }), "--repeats 0");
  EXPECT_PRED2(contains, refused([] { parse({"--sample_steps", "0"}); }), "--sample_steps 0");
  EXPECT_PRED2(contains, refused([] { parse({"--num_images", "3"}); }), "num_images");
}

}  // namespace
}  // namespace lazymar
