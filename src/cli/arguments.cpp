#include "cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <cxxopts.hpp>
#include <string_view>

#include "core/error.h"
#include "core/revision.h"

namespace lazymar {
namespace {

/// The whole text as a number of type T within the range.
template <typename T>
std::optional<T> parse(const std::string& text, T least, T most) {
  T number{};
  const char* end = text.data() + text.size();
  const auto [next, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc() || next != end || !(number >= least && number <= most)) {
    return std::nullopt;
  }
  return number;
}

/// What cxxopts would take for true, "--lazy_mar=false" included, or refuse without the flag's
/// name.
void refuse_switch_with_value(std::span<const OptionSpec> specs, std::string_view argument) {
  const size_t end = argument.find('=');
  if (!argument.starts_with("--") || end == std::string_view::npos) {
    return;
  }
  for (const OptionSpec& spec : specs) {
    if (spec.value == nullptr && argument.substr(2, end - 2) == spec.name) {
      throw usage_error(argument, ": --", spec.name, " is a switch and takes no value: give it, or",
                        " leave it out");
    }
  }
}

}  // namespace

struct Arguments::Parser {
  cxxopts::Options options;
  std::vector<std::string> groups;
  cxxopts::ParseResult result;
};

Arguments::Arguments(const char* program, const char* description,
                     std::span<const OptionSpec> specs, int argc, const char* const* argv,
                     const Operands& operands)
    : parser_(new Parser{cxxopts::Options(program, description), {}, {}}) {
  for (const OptionSpec& spec : specs) {
    auto add = parser_->options.add_options(spec.group);
    if (spec.value != nullptr) {
      add(spec.name, spec.help, cxxopts::value<std::string>(), spec.value);
    } else {
      add(spec.name, spec.help);
    }
    const auto& groups = parser_->groups;
    if (*spec.group != '\0' &&
        std::find(groups.begin(), groups.end(), spec.group) == groups.end()) {
      parser_->groups.emplace_back(spec.group);
    }
  }
  parser_->options.add_options("Information")("h,help", "this text")("version",
                                                                     "version and git revision");
  parser_->groups.emplace_back("Information");
  parser_->options.parse_positional(operands.options);
  parser_->options.positional_help("");
  parser_->options.custom_help(
      concat("[OPTION...]", operands.usage.empty() ? "" : " ", operands.usage));
  for (int i = 1; i < argc; ++i) {
    refuse_switch_with_value(specs, argv[i]);
  }
  try {
    parser_->result = parser_->options.parse(argc, argv);
  } catch (const cxxopts::exceptions::exception& error) {
    throw usage_error(error.what(), "; --help lists the options");
  }
  if (operands.rest != nullptr) {
    const auto& unmatched = parser_->result.unmatched();
    operands.rest->assign(unmatched.begin(), unmatched.end());
  } else if (!parser_->result.unmatched().empty()) {
    throw usage_error("unexpected argument \"", parser_->result.unmatched().front(),
                      "\"; --help lists the options");
  }
}

Arguments::~Arguments() = default;

bool Arguments::given(const std::string& name) const {
  return parser_->result.count(name) > 0;
}

std::string Arguments::text(const std::string& name) const {
  return parser_->result[name].as<std::string>();
}

std::optional<std::string> Arguments::information() const {
  if (given("help")) {
    return parser_->options.help(parser_->groups);
  }
  if (given("version")) {
    return parser_->options.program() + " " + version_string() + "\n";
  }
  return std::nullopt;
}

void Arguments::read(const std::string& name, std::string& value) const {
  if (given(name)) {
    value = text(name);
  }
}

void Arguments::read(const std::string& name, std::filesystem::path& value) const {
  std::optional<std::filesystem::path> given;
  read(name, given);
  value = given.value_or(value);
}

void Arguments::read(const std::string& name, std::optional<std::filesystem::path>& value) const {
  if (!given(name)) {
    return;
  }
  if (text(name).empty()) {
    throw usage_error("--", name, " is empty: name a path, or leave the flag out");
  }
  value = text(name);
}

void Arguments::read_integer(const std::string& name, std::optional<int64_t>& value, int64_t least,
                             int64_t most) const {
  if (!given(name)) {
    return;
  }
  const auto number = parse<int64_t>(text(name), least, most);
  if (!number) {
    throw usage_error("--", name, " ", text(name), ": must be a whole number from ", least, " to ",
                      most);
  }
  value = number;
}

void Arguments::read_integer(const std::string& name, int64_t& value, int64_t least,
                             int64_t most) const {
  std::optional<int64_t> number;
  read_integer(name, number, least, most);
  value = number.value_or(value);
}

void Arguments::read_number(const std::string& name, std::optional<double>& value, double least,
                            double most) const {
  if (!given(name)) {
    return;
  }
  const auto number = parse<double>(text(name), least, most);
  if (!number) {
    throw usage_error("--", name, " ", text(name), ": must be a number from ", least, " to ", most);
  }
  value = number;
}

void Arguments::read_number(const std::string& name, double& value, double least,
                            double most) const {
  std::optional<double> number;
  read_number(name, number, least, most);
  value = number.value_or(value);
}

bool Arguments::is_second(const std::string& name, const std::string& first,
                          const std::string& second) const {
  const std::string word = given(name) ? text(name) : first;
  if (word != first && word != second) {
    throw usage_error("--", name, " ", word, ": use ", first, " or ", second);
  }
  return word == second;
}

}  // namespace lazymar
