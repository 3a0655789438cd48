#include <algorithm>
#include <sstream>

#include "cli/arms.h"
#include "cli/commands.h"
#include "core/error.h"
#include "core/option_field.h"
#include "core/text.h"
#include "method/presets.h"

namespace lazymar {
namespace {

void check_option(const std::string& arm, const std::string& word,
                  std::span<const OptionInfo> options) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const OptionInfo& option : options) {
    if (name.starts_with("--") && option_name(name) == option.name) {
      return;
    }
    known.push_back("--" + option.name);
  }
  throw usage_error("--arms: \"", arm, "\": ", name, " is not an option of an arm; ",
                    use_one_of("--" + option_name(name), known));
}

std::vector<BenchArm> parse_arms(const std::string& text, const MethodRequest& common) {
  EvalOptions start;
  static_cast<MethodRequest&>(start) = common;
  const bool plain = text.find(';') == std::string::npos && text.find(" -") == std::string::npos;
  std::vector<BenchArm> arms;
  for (const std::string& part : split(text, plain ? ',' : ';')) {
    const auto [name, options] = parse_arm(eval_rows(), part, start);
    arms.push_back({name, options, options.eval_bsz});
  }
  return arms;
}

}  // namespace

ArmWords split_arm(const std::string& text, std::span<const OptionInfo> options) {
  ArmWords arm{false, "", {"lazymar_eval"}};
  std::istringstream in(text);
  in >> arm.name;
  const auto& methods = presets().rows();
  const bool named = std::any_of(methods.begin(), methods.end(), [&](const MethodPreset& preset) {
    return preset.name == arm.name;
  });
  if (named) {
    arm.words.insert(arm.words.end(), {"--method", arm.name});
  } else if (arm.name != "baseline" && arm.name != "lazy") {
    std::vector<std::string> names{"baseline", "lazy"};
    for (const MethodPreset& preset : methods) {
      names.emplace_back(preset.name);
    }
    throw usage_error("--arms: \"", text, "\": an arm begins with baseline, lazy or a --method; ",
                      did_you_mean(arm.name, names),
                      "arms with options are separated by semicolons");
  }
  arm.lazy = arm.name == "lazy";
  for (std::string word; in >> word;) {
    if (word.starts_with("-") && parse_index(word.substr(1)) < 0) {
      check_option(text, word, options);
    }
    arm.words.push_back(word);
    arm.name += " " + word;
  }
  return arm;
}

Parsed<BenchOptions> parse_bench_options(int argc, const char* const* argv) {
  Parsed<BenchOptions> parsed = parse(bench_program(), bench_rows(), argc, argv);
  parsed.options.arms = parse_arms(parsed.options.arm_list, parsed.options.common);
  return parsed;
}

}  // namespace lazymar
