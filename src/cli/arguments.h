#pragma once
/// A command line taken apart: which options were given, with which text, and the operands.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/option_row.h"

namespace lazymar {

class Arguments {
 public:
  /// Takes "--name value", "--name=value" and switches; in names dashes and underscores are equal,
  /// the last one of a name wins, and "--" ends the options. Throws Error (usage) for an unknown
  /// option, naming the nearest one, for a value that is missing, and for a switch with a value.
  /// --help and --version are always there and end the reading.
  Arguments(std::span<const OptionInfo> options, int argc, const char* const* argv);

  bool given(const std::string& name) const { return texts_.contains(name); }
  /// Of an option that was given; a switch has none.
  const std::string& text(const std::string& name) const { return texts_.at(name); }
  const std::vector<std::string>& operands() const { return operands_; }

  /// What --help asks for: "" (the first screen), "all", "man" or "bash".
  const std::optional<std::string>& help() const { return help_; }
  bool version() const { return version_; }

 private:
  bool read_information(const std::string& name, const std::optional<std::string>& value,
                        const char* next);

  std::map<std::string, std::string> texts_;
  std::vector<std::string> operands_;
  std::optional<std::string> help_;
  bool version_ = false;
};

/// An option's name as the tables have it: "--num-images" is "num_images".
std::string option_name(std::string word);

}  // namespace lazymar
