#include "method/lazy_options.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/error.h"
#include "core/text.h"
#include "method/option_rows.h"

namespace lazymar {
namespace {

constexpr std::string_view kPrefix = "lazy_";

/// The name of a cache option: its flag without the prefix.
std::string option_name(const OptionRow<LazyOptions>& row) {
  return row.info.name.substr(kPrefix.size());
}

const OptionTable<LazyOptions>& rows() {
  static const OptionTable<LazyOptions> table = lazy_rows();
  return table;
}

std::string kind_name(RetainKind kind) {
  return kind == RetainKind::kScaled      ? "scaled"
         : kind == RetainKind::kPublished ? "published"
                                          : "progress";
}

}  // namespace

void parse_retain(std::string_view text, LazyOptions& options) {
  options.retain_list.clear();
  for (const RetainKind kind :
       {RetainKind::kScaled, RetainKind::kPublished, RetainKind::kProgress}) {
    if (text == kind_name(kind)) {
      options.retain = kind;
      return;
    }
  }
  options.retain = RetainKind::kList;
  const char* position = text.data();
  const char* end = text.data() + text.size();
  while (true) {
    double ratio = 0.0;
    const auto [next, status] = std::from_chars(position, end, ratio);
    if (status != std::errc() || !(ratio >= 0.0 && ratio <= 1.0) || (next != end && *next != ',')) {
      throw usage_error(
          text, ": use published, scaled, progress, or ratios from 0 to 1 separated by ", "commas");
    }
    options.retain_list.push_back(ratio);
    if (next == end) {
      return;
    }
    position = next + 1;
  }
}

std::string retain_string(const LazyOptions& options) {
  if (options.retain != RetainKind::kList) {
    return kind_name(options.retain);
  }
  std::vector<std::string> ratios;
  for (const double ratio : options.retain_list) {
    ratios.push_back(shortest_text(ratio));
  }
  return join(ratios, ",");
}

std::map<std::string, std::string> lazymar_text(const LazyOptions& options) {
  const LazyOptions standard;
  std::map<std::string, std::string> text;
  for (const OptionRow<LazyOptions>& row : rows()) {
    const OptionValue value = row.field.value(options);
    if (value != row.field.value(standard)) {
      text.emplace(option_name(row), to_text(value));
    }
  }
  return text;
}

LazyOptions lazymar_options(const std::map<std::string, std::string>& text) {
  LazyOptions options;
  for (const auto& [name, value] : text) {
    const auto row = std::find_if(rows().begin(), rows().end(), [&wanted = name](const auto& r) {
      return option_name(r) == wanted;
    });
    if (row == rows().end()) {
      std::vector<std::string> names;
      names.reserve(rows().size());
      std::transform(rows().begin(), rows().end(), std::back_inserter(names), option_name);
      throw usage_error("cache policy lazymar has no option \"", name,
                        "\"; use one of: ", join(names, ", "));
    }
    try {
      row->field.read(options, value);
    } catch (const Error& error) {
      throw setting_error(row->info.name, " ", error.what());
    }
  }
  return options;
}

}  // namespace lazymar
