#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/arms.h"
#include "cli/commands.h"
#include "core/option_field.h"
#include "generate/image_text.h"
#include "generate/settings.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

// A new option: one member and one row, and no other change.
struct ToyOptions : EvalOptions {
  int64_t toy_margin = 7;
};

OptionTable<ToyOptions> toy_rows() {
  return join<ToyOptions>(
      {inherited<ToyOptions>(eval_rows()),
       {{{.name = "toy_margin",
          .value = "N",
          .group = "Toys",
          .help = "Leave N toys at the margin.",
          .main = true,
          .arm = true,
          .setting = Setting{.key = "toy_margin", .png_text = true, .noted = true, .drift = true},
          .folder = FolderPart{.label = "toymargin"}},
         integer(&ToyOptions::toy_margin, 0, 99)}}});
}

std::vector<OptionInfo> toy_infos() {
  return describe(toy_rows());
}

ToyOptions parse_toys(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "lazymar_eval");
  return parse(eval_program(), toy_rows(), static_cast<int>(arguments.size()), arguments.data())
      .options;
}

bool listed(const std::vector<std::string>& keys) {
  return std::count(keys.begin(), keys.end(), "toy_margin") == 1;
}

TEST(ANewOption, IsParsed) {
  EXPECT_EQ(parse_toys({}).toy_margin, 7);
  EXPECT_EQ(parse_toys({"--toy-margin", "3", "--num_iter", "5"}).toy_margin, 3);
  EXPECT_PRED2(contains, refused([] {
                 parse_toys({"--toy_margin", "100"});
               }),
               "--toy_margin 100: must be a whole number from 0 to 99");
  EXPECT_PRED2(contains, refused([] {
                 parse_toys({"--toy_margn", "1"});
               }),
               "did you mean --toy_margin?");
  const char* real[] = {"lazymar_eval", "--toy_margin", "3"};
  EXPECT_PRED2(contains, refused([&] { parse_eval_options(3, real); }), "unknown option");
}

TEST(ANewOption, IsInHelpManPageAndCompletion) {
  const std::string sentence = "Leave N toys at the margin. [default: 7]";
  const Program& program = eval_program();
  EXPECT_PRED2(contains, first_screen(program, toy_infos()), sentence);
  EXPECT_PRED2(contains, all_options(program, toy_infos()), sentence);
  EXPECT_PRED2(contains, all_options(program, toy_infos()), "\nToys:\n");
  EXPECT_PRED2(contains, man_page(program, toy_infos()), sentence + " Accepted: 0 to 99.");
  EXPECT_PRED2(contains, bash_completion(program, toy_infos()), "--toy_margin");
  EXPECT_FALSE(contains(all_options(program, describe(eval_rows())), "toy"));
}

TEST(ANewOption, IsASettingIfItIsNotTheDefault) {
  ToyOptions options;
  const auto settings = [&] { return settings_json(setting_values(toy_rows(), options)); };
  EXPECT_EQ(settings(), settings_json(EvalOptions())) << "older runs still resume";
  options.toy_margin = 3;
  EXPECT_EQ(settings()["toy_margin"], 3);
}

TEST(ANewOption, IsInTheFolderName) {
  ToyOptions options;
  const auto name = [&] { return settings_name(folder_parts(toy_rows(), options, ToyOptions())); };
  EXPECT_EQ(name(), "iter64_baseline");
  options.toy_margin = 3;
  options.lazy.emplace().extra = 2;
  EXPECT_EQ(name(), "iter64_lazy_extra2_toymargin3");
}

TEST(ANewOption, IsInThePngText) {
  ToyOptions options;
  const auto text = [&] {
    for (const auto& [name, value] :
         image_text(0, 1, settings_json(setting_values(toy_rows(), options)), nullptr,
                    setting_keys(toy_infos()).png_text)) {
      if (name == "settings") {
        return value;
      }
    }
    return std::string();
  };
  EXPECT_FALSE(contains(text(), "toy_margin"));
  options.toy_margin = 3;
  EXPECT_PRED2(contains, text(), "\"toy_margin\":3");
}

TEST(ANewOption, MayBeAnArmsAndIsCompared) {
  const auto [name, options] = parse_arm(toy_rows(), "lazy --toy_margin 3", ToyOptions());
  EXPECT_EQ(name, "lazy --toy_margin 3");
  EXPECT_EQ(options.toy_margin, 3);
  EXPECT_TRUE(options.lazy);
  const SettingKeys keys = setting_keys(toy_infos());
  EXPECT_TRUE(listed(keys.noted) && listed(keys.drift));
  EXPECT_FALSE(listed(keys.identity));
}

}  // namespace
}  // namespace lazymar
