// Methods by name: every preset makes a plan, and costs what is known of it.
#include "method/presets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "flops/cost_table.h"
#include "generate/explain.h"
#include "pipeline/option_rows.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

EvalOptions options_of(const std::string& method, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"lazymar_eval", "--method", method});
  std::vector<const char*> argv;
  for (const std::string& word : more) {
    argv.push_back(word.c_str());
  }
  return parse_eval_options(static_cast<int>(argv.size()), argv.data()).options;
}

double tera(const std::string& method, const std::string& model) {
  const MarConfig config = published_config(*find_preset(model));
  return 1e-12 * static_cast<double>(
                     flops_per_image(config, kl16_config(), resolve_method(options_of(method), {}))
                         .total());
}

/// TFLOP an image of base, large and huge.
struct Known {
  const char* method;
  double base, large, huge;
};

/// Counted independently of this program, from the same descriptions.
constexpr Known kKnown[] = {
    {"mar", 13.87, 31.50, 62.53},
    {"lazymar", 4.78, 10.59, 20.61},
    {"disa", 11.14, 25.89, 50.61},
    {"cosine-32", 8.68, 19.18, 38.46},
    {"gtr-32", 5.69, 12.92, 25.37},
    {"gtr-16", 3.33, 7.30, 14.39},
    {"gtr-8", 2.21, 4.63, 9.17},
    {"gtr-32-condition", 4.14, 9.23, 18.15},
    {"lazymar-gtr", 3.44, 7.45, 14.54},
    {"lazymar-gtr-head", 2.85, 6.24, 11.99},
    {"gtr-16-condition", 2.90, 6.27, 12.37},
    {"gtr-16-condition-ode15", 2.50, 5.46, 10.64},
    {"lazymar-32", 3.23, 7.03, 13.76},
    {"lazymar-ode15", 4.54, 10.02, 19.21},
    {"lazymar-fast", 2.99, 6.45, 12.36},
};

TEST(Presets, CostWhatIsKnownOfThem) {
  for (const Known& known : kKnown) {
    EXPECT_NEAR(tera(known.method, "mar_base") / known.base, 1, 0.01) << known.method;
    EXPECT_NEAR(tera(known.method, "mar_large") / known.large, 1, 0.01) << known.method;
    EXPECT_NEAR(tera(known.method, "mar_huge") / known.huge, 1, 0.01) << known.method;
  }
  EXPECT_GT(std::abs(tera("gtr-16", "mar_base") / 5.69 - 1), 0.01) << "control";
}

TEST(Presets, AreTheirOptions) {
  for (const MethodPreset& preset : presets().rows()) {
    const EvalOptions named = options_of(std::string(preset.name));
    std::istringstream line("lazymar_eval " + command_line(preset));
    std::vector<std::string> words;
    for (std::string word; line >> word;) {
      words.push_back(word);
    }
    std::vector<const char*> argv;
    for (const std::string& word : words) {
      argv.push_back(word.c_str());
    }
    const EvalOptions spelled =
        parse_eval_options(static_cast<int>(argv.size()), argv.data()).options;
    DecodingMethod one = resolve_method(named, {});
    DecodingMethod other = resolve_method(spelled, {});
    EXPECT_EQ(one.name, preset.name);
    one.name = other.name;
    EXPECT_EQ(one, other) << preset.name;
    EXPECT_FALSE(preset.what.empty());
    for (const PresetOption& option : preset.options) {
      EXPECT_FALSE(option.source.empty()) << preset.name << " " << option.option;
    }
  }
  EXPECT_EQ(resolve_method(options_of("lazymar"), {}).cache.policy, "lazymar");
  EXPECT_TRUE(contains(refused([] { options_of("faster"); }), "gtr-32"));
}

TEST(Presets, FlagsOverride) {
  const EvalOptions options = options_of("gtr-32", {"--detail", "0.2:40", "--order", "raster",
                                                    "--tokens_per_step", "stages:128/4,128/2"});
  EXPECT_EQ(options.plan.detail, "0.2:40");
  EXPECT_EQ(options.plan.order, "raster");
  EXPECT_EQ(options.sampling.num_iter, 6);
  EXPECT_EQ(options_of("disa", {"--num_sampling_steps", "70"}).plan.head_steps, "");
  EXPECT_EQ(options_of("halton", {"--num_iter", "20"}).plan.tokens_per_step, "");
  EXPECT_EQ(options_of("lazymar", {"--lazy_refresh", "5"}).lazy->refresh, 5);
  EXPECT_EQ(options_of("disa").plan.head_steps, "50:5") << "control";
}

TEST(Presets, TheirCachesCanBeReplaced) {
  const auto cache_of = [](const std::string& name, std::vector<std::string> more) {
    return resolve_method(options_of(name, std::move(more)), {}).cache;
  };
  const CacheSpec lazymar = resolve_method(options_of("lazymar"), {}).cache;
  const CacheSpec recap = resolve_method(options_of("recap"), {}).cache;
  ASSERT_NE(lazymar, recap);
  EXPECT_EQ(cache_of("lazymar", {"--cache", "recap"}), recap);
  EXPECT_EQ(cache_of("lazymar-gtr", {"--cache", "none"}), CacheSpec());
  EXPECT_EQ(cache_of("recap", {"--cache", "none"}), CacheSpec());
  EXPECT_EQ(cache_of("recap", {"--lazy_mar"}), lazymar);
  EXPECT_EQ(cache_of("mar", {"--cache", "lazymar"}), lazymar);
  EXPECT_EQ(cache_of("lazymar", {"--cache", "lazymar", "--lazy_extra", "8"}),
            cache_of("lazymar", {"--lazy_extra", "8"}));
  // What the same command line asks for twice is refused; so is an option whose cache is gone.
  for (const std::vector<std::string>& both :
       {std::vector<std::string>{"--lazy_mar", "--cache", "recap"},
        {"--lazy_extra", "8", "--cache", "recap"},
        {"--lazy_extra", "8", "--cache", "none"}}) {
    EXPECT_TRUE(contains(refused([&] { (void)cache_of("lazymar", both); }), "name two caches"));
  }
}

TEST(Explain, SaysWhereEveryConstantIsFrom) {
  const std::string text =
      explain_method(options_of("gtr-32", {"--model", "mar_base", "--detail", "0.2:50"}));
  for (const char* part :
       {"--order checkerboard:3", "second-hand: a note on GtR", "--last_timestep 950",
        "ours:", "--detail 0.2:50", "command line", "2 3 x2", "| gtr-32 |", "mar_base as published",
        "times fewer than MAR"}) {
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
  }
  EXPECT_TRUE(contains(explain_method(options_of("disa", {"--model", "mar_base"})),
                       "code: github Qinyu-Allen-Zhao/DiSA@283fa59"));
  EXPECT_TRUE(
      contains(explain_method(options_of("mar", {"--model", "mar_base"})), "no option differs"));
}

/// docs/methods.md has the table that `lazymar_bench --count` prints.
TEST(Presets, ThePageHasTheirCosts) {
  std::ifstream file(std::string(LAZYMAR_SOURCE_DIR) + "/docs/methods.md");
  std::ostringstream page;
  page << file.rdbuf();
  for (const MethodPreset& preset : presets().rows()) {
    EXPECT_TRUE(contains(page.str(), concat("`", preset.name, "`"))) << preset.name;
    for (const char* model : {"mar_base", "mar_large", "mar_huge"}) {
      const MarConfig config = published_config(*find_preset(model));
      const DecodingMethod mar = resolve_method(options_of("mar"), {});
      const DecodingMethod method = resolve_method(options_of(std::string(preset.name)), {});
      const std::string table = cost_table({cost_row(config, kl16_config(), method, mar, {})});
      const std::string row = table.substr(table.rfind("\n| ") + 1);
      EXPECT_TRUE(contains(page.str(), row)) << model << ": " << row;
    }
  }
}

}  // namespace
}  // namespace lazymar
