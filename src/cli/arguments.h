#pragma once
/// A parsed command line: the options that were given, with their texts, and the operands.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/option_row.h"

namespace lazymar {

class Arguments {
 public:
  /// Takes "--name value", "--name=value" and switches. In names, dashes and underscores are equal;
  /// the last use of a name wins; "--" ends the options. --help and --version always exist, and
  /// nothing is read after them. Throws Error (usage) for an unknown option (naming the nearest
  /// one), for a missing value, and for a switch with a value.
  Arguments(std::span<const OptionInfo> options, int argc, const char* const* argv);

  bool given(const std::string& name) const { return texts_.contains(name); }
  /// Of an option that was given; a switch has none.
  const std::string& text(const std::string& name) const { return texts_.at(name); }
  const std::map<std::string, std::string>& texts() const { return texts_; }
  const std::vector<std::string>& operands() const { return operands_; }

  /// The value of --help: "" (the first screen), or a word of cli/help_topics.h.
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

/// An option's name as in the tables: "--num-images" is "num_images".
std::string option_name(std::string word);

}  // namespace lazymar
