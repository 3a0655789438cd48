#include "method/lazy_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

#include "core/error.h"

namespace lazymar {
namespace {

/// The shortest text that reads back as the same number.
template <typename Number>
std::string number_text(Number value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

template <typename Number>
Number number_from(std::string_view name, const std::string& text) {
  Number value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) {
    throw usage_error("lazymar: ", name, " \"", text, "\" is not a number; use one");
  }
  return value;
}

/// One constant as text: a row per member.
struct Constant {
  std::string_view name;
  std::string (*write)(const LazyOptions& options);
  void (*read)(std::string_view name, const std::string& text, LazyOptions& options);
};

template <auto kMember>
constexpr Constant number(std::string_view name) {
  return {name, [](const LazyOptions& options) { return number_text(options.*kMember); },
          [](std::string_view of, const std::string& text, LazyOptions& options) {
            using Number = std::remove_reference_t<decltype(options.*kMember)>;
            options.*kMember = number_from<Number>(of, text);
          }};
}

template <auto kMember>
constexpr Constant on_or_off(std::string_view name) {
  return {name,
          [](const LazyOptions& options) { return std::string(options.*kMember ? "on" : "off"); },
          [](std::string_view of, const std::string& text, LazyOptions& options) {
            if (text != "on" && text != "off") {
              throw usage_error("lazymar: ", of, " \"", text, "\": use on or off");
            }
            options.*kMember = text == "on";
          }};
}

std::string kind_name(RetainKind kind) {
  return kind == RetainKind::kScaled      ? "scaled"
         : kind == RetainKind::kPublished ? "published"
                                          : "progress";
}

/// As parse_retain() reads it; unlike retain_string(), to the last bit.
std::string retain_text(const LazyOptions& options) {
  if (options.retain != RetainKind::kList) {
    return retain_string(options);
  }
  std::string text;
  for (const double ratio : options.retain_list) {
    text += (text.empty() ? "" : ",") + number_text(ratio);
  }
  return text;
}

constexpr std::array<Constant, 12> kConstants{{
    on_or_off<&LazyOptions::token>("token"),
    on_or_off<&LazyOptions::condition>("condition"),
    on_or_off<&LazyOptions::head>("head"),
    number<&LazyOptions::warmup>("warmup"),
    number<&LazyOptions::refresh>("refresh"),
    number<&LazyOptions::prune_layer>("prune_layer"),
    number<&LazyOptions::extra>("extra"),
    number<&LazyOptions::head_refresh>("head_refresh"),
    number<&LazyOptions::condition_scale>("condition_scale"),
    on_or_off<&LazyOptions::by_progress>("by_progress"),
    on_or_off<&LazyOptions::at_stages>("at_stages"),
    {"retain", retain_text,
     [](std::string_view, const std::string& text, LazyOptions& options) {
       parse_retain(text, options);
     }},
}};

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
  std::string text;
  for (const double ratio : options.retain_list) {
    text += concat(text.empty() ? "" : ",", ratio);
  }
  return text;
}

std::map<std::string, std::string> lazymar_text(const LazyOptions& options) {
  const LazyOptions standard;
  std::map<std::string, std::string> text;
  for (const Constant& constant : kConstants) {
    const std::string value = constant.write(options);
    if (value != constant.write(standard)) {
      text.emplace(constant.name, value);
    }
  }
  return text;
}

LazyOptions lazymar_options(const std::map<std::string, std::string>& text) {
  LazyOptions options;
  for (const auto& [name, value] : text) {
    const auto known = std::find_if(kConstants.begin(), kConstants.end(),
                                    [&](const Constant& c) { return c.name == name; });
    if (known == kConstants.end()) {
      std::string names;
      for (const Constant& constant : kConstants) {
        names += concat(names.empty() ? "" : ", ", constant.name);
      }
      throw usage_error("cache policy lazymar has no option \"", name, "\"; use one of: ", names);
    }
    known->read(known->name, value, options);
  }
  return options;
}

}  // namespace lazymar
