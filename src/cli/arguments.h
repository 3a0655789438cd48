#pragma once
/// A command line: declared by a table, read with types and ranges.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lazymar {

/// One flag. Without `value` it is a switch; without `group` it is accepted but not listed.
struct OptionSpec {
  const char* group;
  const char* name;
  const char* help = "";
  const char* value = nullptr;  ///< what the help calls the value
};

/// Arguments without a flag.
struct Operands {
  std::string usage;                              ///< how the help shows them
  std::vector<std::string> options;               ///< what they are for, in order
  std::vector<std::filesystem::path>* rest = {};  ///< takes those beyond; null: there may be none
};

/// What was given. Every reader leaves its target alone where the flag was not given, and throws
/// Error (usage) that names the flag, the value and what would do.
class Arguments {
 public:
  /// --help and --version are always there. Throws for an unknown flag, a switch with a value or a
  /// stray argument.
  Arguments(const char* program, const char* description, std::span<const OptionSpec> specs,
            int argc, const char* const* argv, const Operands& operands = {});
  ~Arguments();

  bool given(const std::string& name) const;
  std::string text(const std::string& name) const;

  /// The text to print where --help or --version was given.
  std::optional<std::string> information() const;

  void read(const std::string& name, std::string& value) const;
  /// Paths must not be empty.
  void read(const std::string& name, std::filesystem::path& value) const;
  void read(const std::string& name, std::optional<std::filesystem::path>& value) const;
  void read_integer(const std::string& name, int64_t& value, int64_t least, int64_t most) const;
  void read_integer(const std::string& name, std::optional<int64_t>& value, int64_t least,
                    int64_t most) const;
  void read_number(const std::string& name, double& value, double least, double most) const;
  void read_number(const std::string& name, std::optional<double>& value, double least,
                   double most) const;
  /// One of two words, the first where nothing was given: is it the second?
  bool is_second(const std::string& name, const std::string& first,
                 const std::string& second) const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace lazymar
