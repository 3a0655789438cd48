#pragma once
/// Options as rows of a table. One row gives the option's name, member and range, and where else it
/// appears: help, settings JSON, folder name, PNG text, bench arms, comparison.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"

namespace lazymar {

/// An option's value, for settings and texts; monostate: none was chosen.
using OptionValue = std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string,
                                 std::vector<int64_t>, std::vector<std::string>>;

/// As written on a command line: "15", "1,2"; monostate is "".
std::string to_text(const OptionValue& value);

/// How an option appears in a run's settings: in the manifest and in what reads the manifest.
struct Setting {
  std::string key;        ///< in the JSON; "lazy_mar/extra" is inside "lazy_mar"
  bool always = false;    ///< false: written if not the default, so that older runs still resume
  bool png_text = false;  ///< part of the PNGs' "settings" text
  bool noted = false;     ///< lazymar_compare reports if two runs differ in it
  bool identity = false;  ///< and refuses to pair their images
  bool drift = false;     ///< and reports if drift was recorded with another value
};

/// An option's part in the name of a run folder: the label, then the value.
struct FolderPart {
  std::string label;
  int place = 100;      ///< order in the name; equal places keep the table's order
  bool always = false;  ///< false: only if it differs from the usual value
};

/// What every reader but the parser needs. Help texts are imperative, without the default.
struct OptionInfo {
  std::string name;
  std::string value = {};  ///< the value's name in the help; empty: a switch
  std::string group = {};
  std::string help = {};
  std::string default_text = {};  ///< if the default is not a value of the struct
  std::vector<std::string> aliases = {};
  bool main = false;    ///< on the first screen of the help
  bool hidden = false;  ///< accepted, not listed
  bool arm = false;     ///< arms of lazymar_bench accept it
  std::optional<Setting> setting = {};
  std::optional<FolderPart> folder = {};
  // Filled in by describe().
  std::vector<std::string> words = {};  ///< allowed values
  std::string range = {};
  bool path = false;
};

/// Where an option's value lives. See core/option_field.h for the usual kinds.
template <typename Options>
struct OptionField {
  /// Throws Error (usage) that begins with the text: "7: must be ...".
  std::function<void(Options&, const std::string& text)> read;
  std::function<OptionValue(const Options&)> value;
  std::function<std::string(const Options&)> folder_text;  ///< null: the value's text
  std::vector<std::string> words;
  std::string range;
  bool path = false;
};

/// What an option needs to have an effect.
template <typename Options>
struct OptionNeed {
  std::function<bool(const Options&)> holds;
  std::string what;  ///< "has no effect without <what>"
};

template <typename Options>
struct OptionRow {
  // A constructor, because GCC 12 rejects default member initializers here.
  OptionRow(OptionInfo i, OptionField<Options> f, std::vector<OptionNeed<Options>> n = {})
      : info(std::move(i)), field(std::move(f)), needs(std::move(n)) {}

  OptionInfo info;
  OptionField<Options> field;
  std::vector<OptionNeed<Options>> needs;
  /// Whether the struct that it belongs to exists; null: always.
  std::function<bool(const Options&)> present;
};

/// Rows are read in this order, so a row follows those that it needs. Settings use it too.
template <typename Options>
using OptionTable = std::vector<OptionRow<Options>>;

template <typename Options>
const OptionRow<Options>& row_named(const OptionTable<Options>& table, std::string_view name) {
  for (const OptionRow<Options>& row : table) {
    if (row.info.name == name) {
      return row;
    }
  }
  throw std::logic_error(concat("no option row ", name));
}

/// Reads the options that have a text into `options`, row by row. Throws Error (usage) that names
/// the option as on a command line.
template <typename Options>
void read_rows(const OptionTable<Options>& table, const std::map<std::string, std::string>& texts,
               Options& options) {
  for (const OptionRow<Options>& row : table) {
    const std::string& name = row.info.name;
    const auto text = texts.find(name);
    if (text == texts.end()) {
      continue;
    }
    for (const OptionNeed<Options>& need : row.needs) {
      if (!need.holds(options)) {
        throw usage_error("--", name, " has no effect without ", need.what);
      }
    }
    try {
      row.field.read(options, text->second);
    } catch (const Error& error) {
      // A message that begins with the setting names it already.
      throw usage_error("--", error.setting() == name ? "" : name + " ", error.what());
    }
  }
}

template <typename Options>
OptionTable<Options> join(std::initializer_list<OptionTable<Options>> tables) {
  OptionTable<Options> joined;
  for (const OptionTable<Options>& table : tables) {
    joined.insert(joined.end(), table.begin(), table.end());
  }
  return joined;
}

/// The row for a struct that holds `Inner`; `access` finds it there.
template <typename Outer, typename Inner, typename Access>
OptionRow<Outer> rebase(const OptionRow<Inner>& row, Access access) {
  OptionRow<Outer> result(row.info, {});
  const OptionField<Inner>& field = row.field;
  result.field.read = [access, read = field.read](Outer& outer, const std::string& text) {
    read(access(outer), text);
  };
  result.field.value = [access, value = field.value](const Outer& outer) {
    return value(access(outer));
  };
  if (field.folder_text) {
    result.field.folder_text = [access, folder = field.folder_text](const Outer& outer) {
      return folder(access(outer));
    };
  }
  result.field.words = field.words;
  result.field.range = field.range;
  result.field.path = field.path;
  for (const OptionNeed<Inner>& need : row.needs) {
    result.needs.push_back(
        {[access, holds = need.holds](const Outer& outer) { return holds(access(outer)); },
         need.what});
  }
  if (row.present) {
    result.present = [access, present = row.present](const Outer& outer) {
      return present(access(outer));
    };
  }
  return result;
}

/// Rows of a member.
template <typename Outer, typename Holder, typename Inner>
OptionTable<Outer> within(const OptionTable<Inner>& table, Inner Holder::*member) {
  OptionTable<Outer> result;
  result.reserve(table.size());
  for (const OptionRow<Inner>& row : table) {
    result.push_back(rebase<Outer>(
        row, [member](auto& outer) -> auto& { return outer.*member; }));
  }
  return result;
}

/// Rows of a member that exists once the option `what` is given. Without it, they have its
/// defaults and are not settings.
template <typename Outer, typename Inner>
OptionTable<Outer> within(const OptionTable<Inner>& table, std::optional<Inner> Outer::*member,
                          const std::string& what) {
  struct Access {
    std::optional<Inner> Outer::*member;
    Inner& operator()(Outer& outer) const { return (outer.*member).value(); }
    const Inner& operator()(const Outer& outer) const {
      static const Inner kDefaults{};
      return outer.*member ? *(outer.*member) : kDefaults;
    }
  };
  OptionTable<Outer> result;
  result.reserve(table.size());
  for (const OptionRow<Inner>& row : table) {
    OptionRow<Outer> outer = rebase<Outer>(row, Access{member});
    outer.present = [member](const Outer& options) { return (options.*member).has_value(); };
    outer.needs.insert(outer.needs.begin(), {outer.present, what});
    result.push_back(std::move(outer));
  }
  return result;
}

/// Rows of a base class.
template <typename Outer, typename Inner>
OptionTable<Outer> inherited(const OptionTable<Inner>& table) {
  static_assert(std::is_base_of_v<Inner, Outer>);
  struct Access {
    Inner& operator()(Outer& outer) const { return outer; }
    const Inner& operator()(const Outer& outer) const { return outer; }
  };
  OptionTable<Outer> result;
  result.reserve(table.size());
  for (const OptionRow<Inner>& row : table) {
    result.push_back(rebase<Outer>(row, Access{}));
  }
  return result;
}

/// What every reader but the parser needs, with defaults filled in from the struct.
template <typename Options>
std::vector<OptionInfo> describe(const OptionTable<Options>& table) {
  const Options defaults{};
  std::vector<OptionInfo> result;
  result.reserve(table.size());
  for (const OptionRow<Options>& row : table) {
    OptionInfo info = row.info;
    if (info.default_text.empty() && !info.value.empty()) {
      info.default_text = to_text(row.field.value(defaults));
    }
    info.words = row.field.words;
    info.range = row.field.range;
    info.path = row.field.path;
    result.push_back(std::move(info));
  }
  return result;
}

struct SettingValue {
  std::string key;
  OptionValue value;
};

/// The settings of a run, in the table's order.
template <typename Options>
std::vector<SettingValue> setting_values(const OptionTable<Options>& table,
                                         const Options& options) {
  const Options defaults{};
  std::vector<SettingValue> result;
  for (const OptionRow<Options>& row : table) {
    if (!row.info.setting || (row.present && !row.present(options))) {
      continue;
    }
    OptionValue value = row.field.value(options);
    if (row.info.setting->always || value != row.field.value(defaults)) {
      result.push_back({row.info.setting->key, std::move(value)});
    }
  }
  return result;
}

/// The parts of a run folder's name: what differs from `usual`, and what is always named.
template <typename Options>
std::vector<std::string> folder_parts(const OptionTable<Options>& table, const Options& options,
                                      const Options& usual) {
  std::vector<std::pair<int, std::string>> parts;
  for (const OptionRow<Options>& row : table) {
    if (!row.info.folder || (row.present && !row.present(options))) {
      continue;
    }
    const auto text = [&row](const Options& of) {
      return row.field.folder_text ? row.field.folder_text(of) : to_text(row.field.value(of));
    };
    const bool word_alone = row.info.value.empty() && !row.field.folder_text;
    if (row.info.folder->always || text(options) != text(usual)) {
      parts.emplace_back(row.info.folder->place,
                         row.info.folder->label + (word_alone ? "" : text(options)));
    }
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> result;
  result.reserve(parts.size());
  for (auto& [place, text] : parts) {
    result.push_back(std::move(text));
  }
  return result;
}

/// Top-level keys of the settings, by reader.
struct SettingKeys {
  std::vector<std::string> png_text, noted, identity, drift;
};
SettingKeys setting_keys(const std::vector<OptionInfo>& options);

/// The key of the version, which is a setting but not an option.
inline constexpr const char* kVersionSetting = "version";

}  // namespace lazymar
