#pragma once
/// The usual kinds of option fields: a member, read with its type and range.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/option_row.h"

namespace lazymar {

/// Parses the whole text as a number in the range; throws Error (usage) that names the range.
int64_t read_integer(const std::string& text, int64_t least, int64_t most);
double read_number(const std::string& text, double least, double most);

/// "bf16, fp16 or fp32".
std::string alternatives(const std::vector<std::string>& words);

/// "did you mean bf16? use bf16, fp16 or fp32", for a word that is none of them; the question only
/// if one of them is near.
std::string use_one_of(const std::string& word, const std::vector<std::string>& words);

template <typename T>
struct OptionalOf {
  using type = T;
};
template <typename T>
struct OptionalOf<std::optional<T>> {
  using type = T;
};
/// T, also of std::optional<T>.
template <typename T>
using Plain = typename OptionalOf<T>::type;

template <typename T>
OptionValue to_value(const T& value) {
  if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return value.string();
  } else {
    return value;
  }
}
template <typename T>
OptionValue to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : OptionValue();
}

template <typename S, typename T>
OptionField<S> member_field(T S::*member) {
  OptionField<S> field;
  field.value = [member](const S& options) { return to_value(options.*member); };
  return field;
}

/// A switch that sets its member to true, or to `given`.
template <typename S>
OptionField<S> flag(bool S::*member, bool given = true) {
  OptionField<S> field = member_field(member);
  field.read = [member, given](S& options, const std::string&) { options.*member = given; };
  return field;
}

template <typename S, typename T>
OptionField<S> integer(T S::*member, int64_t least, int64_t most) {
  OptionField<S> field = member_field(member);
  field.read = [=](S& options, const std::string& text) {
    options.*member = static_cast<Plain<T>>(read_integer(text, least, most));
  };
  field.range = concat(least, " to ", most);
  return field;
}

template <typename S, typename T>
OptionField<S> number(T S::*member, double least, double most) {
  OptionField<S> field = member_field(member);
  field.read = [=](S& options, const std::string& text) {
    options.*member = read_number(text, least, most);
  };
  field.range = concat(least, " to ", most);
  return field;
}

template <typename S>
OptionField<S> text(std::string S::*member, const std::vector<std::string>& words = {}) {
  OptionField<S> field = member_field(member);
  field.read = [member](S& options, const std::string& text) { options.*member = text; };
  field.words = words;
  return field;
}

/// A path, which must not be empty.
template <typename S, typename T>
OptionField<S> path(T S::*member) {
  OptionField<S> field = member_field(member);
  field.read = [member](S& options, const std::string& text) {
    if (text.empty()) {
      throw usage_error("is empty: name a path, or leave the option out");
    }
    options.*member = std::filesystem::path(text);
  };
  field.path = true;
  return field;
}

/// One of a few words.
template <typename S, typename T>
OptionField<S> choice(T S::*member,
                      std::vector<std::pair<std::string, std::type_identity_t<T>>> values) {
  OptionField<S> field;
  for (const auto& [word, value] : values) {
    field.words.push_back(word);
  }
  field.value = [member, values](const S& options) {
    for (const auto& [word, value] : values) {
      if (options.*member == value) {
        return OptionValue(word);
      }
    }
    return OptionValue();
  };
  field.read = [member, values = std::move(values), words = field.words](S& options,
                                                                         const std::string& text) {
    for (const auto& [word, value] : values) {
      if (text == word) {
        options.*member = value;
        return;
      }
    }
    throw usage_error(text, ": ", use_one_of(text, words));
  };
  return field;
}

}  // namespace lazymar
