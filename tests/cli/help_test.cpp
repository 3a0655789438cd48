#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <sstream>

#include "cli/commands.h"
#include "pipeline/option_rows.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

struct Tool {
  const Program& program;
  std::vector<OptionInfo> options;
  std::function<std::string(const char* topic)> help;
};

template <typename Options>
Tool tool(const Program& program, const OptionTable<Options>& rows,
          Parsed<Options> (*parse)(int, const char* const*)) {
  return {program, describe(rows), [&program, parse](const char* topic) {
            const char* arguments[] = {program.name.c_str(), "--help", topic};
            return parse(topic ? 3 : 2, arguments).text.value();
          }};
}

std::vector<Tool> tools() {
  return {tool(eval_program(), eval_rows(), parse_eval_options),
          tool(score_program(), score_rows(), parse_score_options),
          tool(compare_program(), compare_rows(), parse_compare_options),
          tool(bench_program(), bench_rows(), parse_bench_options),
          tool(verify_program(), verify_rows(), parse_verify_options),
          tool(convert_program(), convert_rows(), parse_convert_options),
          tool(doctor_program(), doctor_rows(), parse_doctor_options)};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST(Help, FirstScreenFits) {
  for (const Tool& tool : tools()) {
    const std::string text = tool.help(nullptr);
    EXPECT_LE(lines_of(text).size(), 40U) << text;
    for (const std::string& line : lines_of(text)) {
      EXPECT_LE(line.size(), 100U) << line;
    }
    EXPECT_TRUE(text.starts_with("Usage: " + tool.program.name + " [OPTION...]"));
    EXPECT_PRED2(contains, text, tool.program.operands);
    EXPECT_PRED2(contains, text, tool.program.examples.back().command);
    EXPECT_PRED2(contains, text, "--help [TOPIC]");
  }
}

TEST(Help, AllManPageAndCompletionNameEveryOption) {
  for (const Tool& tool : tools()) {
    const std::string all = tool.help("all");
    const std::string man = tool.help("man");
    const std::string bash = tool.help("bash");
    const std::string zsh = tool.help("zsh");
    const std::string markdown = tool.help("markdown");
    for (const OptionInfo& option : tool.options) {
      const std::string name = "--" + option.name;
      if (option.hidden) {
        EXPECT_FALSE(contains(all, "  " + name + " ")) << name;
        continue;
      }
      EXPECT_PRED2(contains, all, "\n  " + name);
      EXPECT_PRED2(contains, man, "\\-\\-" + option.name + "\\fR");
      EXPECT_PRED2(contains, bash, name);
      EXPECT_PRED2(contains, zsh, "'" + name + "[");
      EXPECT_PRED2(contains, markdown, "| `" + name);
      for (const std::string& alias : option.aliases) {
        EXPECT_FALSE(contains(all, "--" + alias)) << alias;
      }
    }
  }
}

TEST(Help, EveryOptionIsASentenceOfAtMostThirtyWords) {
  for (const Tool& tool : tools()) {
    for (const OptionInfo& option : tool.options) {
      if (option.hidden) {
        continue;
      }
      const std::string& help = option.help;
      ASSERT_FALSE(help.empty()) << option.name;
      EXPECT_TRUE(std::isupper(static_cast<unsigned char>(help.front()))) << help;
      EXPECT_TRUE(help.ends_with('.')) << help;
      std::istringstream words(help);
      size_t count = 0;
      for (std::string word; words >> word;) {
        count = word.ends_with('.') ? 0 : count + 1;
        EXPECT_LT(count, 30U) << help;
      }
      EXPECT_FALSE(contains(help, "default")) << "it is printed from the struct: " << help;
      EXPECT_FALSE(option.group.empty()) << option.name;
    }
  }
}

TEST(Help, DefaultsComeFromTheStructs) {
  const std::string eval = tools().front().help("all");
  EXPECT_PRED2(contains, eval, concat("[default: ", EvalOptions().num_images, "]"));
  EXPECT_PRED2(contains, eval, concat("[default: ", LazyOptions().extra, "]"));
  EXPECT_PRED2(contains, eval, "[default: token,condition,head]");
  EXPECT_PRED2(contains, eval, "[default: 128 on a GPU, 8 on a CPU]");
  EXPECT_PRED2(contains, eval, "[default: the checkpoint's, or 3.25]");
  EXPECT_PRED2(contains, eval, "[default: shard]");
}

TEST(Help, TopicsAreKnown) {
  const char* equals[] = {"lazymar_eval", "--help=all"};
  EXPECT_EQ(parse_eval_options(2, equals).text, tools().front().help("all"));
  const char* wrong[] = {"lazymar_eval", "--help=more"};
  EXPECT_PRED2(contains, refused([&] { parse_eval_options(2, wrong); }),
               "use all, man, markdown, bash or zsh");
  const char* with_set[] = {"lazymar_score", "a_set", "-h"};
  EXPECT_PRED2(contains, *parse_score_options(3, with_set).text, "SET...");
}

TEST(Help, ShortUsageIsShort) {
  for (const Tool& tool : tools()) {
    const std::string text = short_usage(tool.program);
    EXPECT_LE(lines_of(text).size(), 8U) << text;
    EXPECT_PRED2(contains, text, tool.program.examples[0].command);
    EXPECT_PRED2(contains, text, tool.program.examples[1].command);
  }
}

}  // namespace
}  // namespace lazymar
