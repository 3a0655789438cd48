#pragma once
/// Arms of lazymar_bench: "lazy --lazy_refresh 5", "gtr-32 --cfg 2", read by lazymar_eval's rows.

#include <string>
#include <utility>
#include <vector>

#include "cli/parse.h"

namespace lazymar {

/// An arm's words: its name, and its options as a command line.
struct ArmWords {
  bool lazy = false;
  std::string name;                ///< "lazy --lazy_refresh 5"
  std::vector<std::string> words;  ///< the program's name first
};

/// Throws Error (usage) if the words are not an arm, and for options that an arm cannot have.
ArmWords split_arm(const std::string& text, std::span<const OptionInfo> options);

/// The name and the options of an arm. `table`: lazymar_eval's; `common`: for what the arm does not
/// set. Throws Error (usage) that names the arm.
template <typename Options>
std::pair<std::string, Options> parse_arm(const OptionTable<Options>& table,
                                          const std::string& text, Options common) {
  OptionTable<Options> rows;
  for (const OptionRow<Options>& row : table) {
    if (row.info.arm) {
      rows.push_back(row);
    }
  }
  const ArmWords arm = split_arm(text, describe(rows));
  if (arm.lazy) {
    common.lazy.emplace();
  }
  // An arm's options override the common ones; they need only agree with each other.
  common.num_iter_given.reset();
  common.num_sampling_steps_given.reset();
  std::vector<const char*> arguments;
  for (const std::string& word : arm.words) {
    arguments.push_back(word.c_str());
  }
  try {
    return {arm.name, parse(eval_program(), rows, static_cast<int>(arguments.size()),
                            arguments.data(), std::move(common))
                          .options};
  } catch (const Error& error) {
    throw usage_error("--arms: \"", text, "\": ", error.what());
  }
}

}  // namespace lazymar
