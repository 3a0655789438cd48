#include "generate/class_list.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/missing_path.h"
#include "files/text_file.h"
#include "generate/class_names.h"

namespace lazymar {
namespace {

constexpr const char* kForms =
    "use class numbers (0), ranges (0-9), names or @FILE, separated by commas";
constexpr int64_t kMostClass = 1 << 20;
constexpr int kMostDepth = 4;  // of files that name files

/// As names are compared: lower case, one kind of space.
std::string normal(std::string text) {
  text = lower(std::move(text));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '-' || c == '_'; }, ' ');
  return text;
}

std::string trimmed(const std::string& text) {
  constexpr const char* kBlank = " \t\r";
  const size_t begin = text.find_first_not_of(kBlank);
  return begin == std::string::npos ? ""
                                    : text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::vector<std::string> synonyms_in(const std::string& text) {
  std::vector<std::string> synonyms;
  for (const std::string& name : split(text, ',')) {
    synonyms.push_back(trimmed(name));
  }
  return synonyms;
}

const ClassNames& imagenet_names() {
  static const ClassNames all = [] {
    ClassNames classes;
    std::istringstream lines(kImageNetClasses);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("#")) {
        classes.push_back(synonyms_in(line));
      }
    }
    return classes;
  }();
  return all;
}

using Found = std::map<int64_t, std::string>;  ///< class and the synonym that fits

template <typename Fits>
Found find_names(const ClassNames& names, const Fits& fits) {
  Found found;
  for (size_t i = 0; i < names.size(); ++i) {
    for (const std::string& name : names[i]) {
      if (fits(normal(name))) {
        found.try_emplace(static_cast<int64_t>(i), name);
      }
    }
  }
  return found;
}

std::string listed(const ClassNames& names, const Found& found) {
  constexpr size_t kMost = 10;
  std::vector<std::string> texts;
  for (const auto& [label, name] : found) {
    if (texts.size() == kMost) {
      texts.emplace_back("...");
      break;
    }
    const std::vector<std::string>& all = names[static_cast<size_t>(label)];
    const std::string other = name != all.front() ? name : all.size() > 1 ? all[1] : "";
    texts.push_back(concat(label, " (", all.front(), other.empty() ? "" : ", " + other, ")"));
  }
  return join(texts, ", ");
}

/// The error for a name that no class has.
Error no_class(const std::string& item, const ClassNames& names) {
  if (names.empty()) {
    return usage_error(in_quotes(item), ": this model's classes have no names; give numbers");
  }
  std::vector<std::string> all;
  for (const std::vector<std::string>& synonyms : names) {
    all.insert(all.end(), synonyms.begin(), synonyms.end());
  }
  return usage_error(in_quotes(item), " is no class of this model",
                     did_you_mean(item, all, "; did you mean ", "?"), "; ", kForms, "; it has ",
                     listed(names, find_names(names, [](const std::string&) { return true; })));
}

int64_t named_class(const std::string& item, const ClassNames& names) {
  const std::string wanted = normal(item);
  const Found exact = find_names(names, [&](const std::string& name) { return name == wanted; });
  if (exact.size() == 1) {
    return exact.begin()->first;
  }
  if (!exact.empty()) {
    throw usage_error(in_quotes(item), " is the name of ", exact.size(),
                      " classes; give a number: ", listed(names, exact));
  }
  const Found parts = find_names(names, [&](const std::string& name) {
    return concat(" ", name, " ").find(concat(" ", wanted, " ")) != std::string::npos;
  });
  if (!parts.empty()) {
    throw usage_error(in_quotes(item), " is part of the names of ", parts.size(),
                      parts.size() == 1 ? " class; give " : " classes; give one of ",
                      listed(names, parts));
  }
  throw no_class(item, names);
}

/// The only class that has all these names; empty if there is none, or several.
std::optional<int64_t> class_of_names(const std::vector<std::string>& wanted,
                                      const ClassNames& names) {
  std::optional<int64_t> found;
  for (size_t i = 0; i < names.size(); ++i) {
    std::set<std::string> own;
    for (const std::string& name : names[i]) {
      own.insert(normal(name));
    }
    const bool all = std::all_of(wanted.begin(), wanted.end(), [&](const std::string& name) {
      return own.contains(normal(name));
    });
    if (all && found) {
      return std::nullopt;
    }
    if (all) {
      found = static_cast<int64_t>(i);
    }
  }
  return found;
}

/// The names from here that are one class's, as messages list it: "tench, Tinca tinca".
std::vector<std::string> one_class(ClassList::const_iterator from, ClassList::const_iterator end,
                                   const ClassNames& names) {
  std::vector<std::string> whole{from->name};
  while (++from != end && from->last < from->first) {
    const bool again = std::find(whole.begin(), whole.end(), from->name) != whole.end();
    whole.push_back(from->name);
    if (again || !class_of_names(whole, names)) {
      whole.pop_back();
      break;
    }
  }
  return whole;
}

class Reader {
 public:
  void read(const std::string& text, int depth) {
    for (const std::string& part : split(text, ',')) {
      const std::string item = trimmed(part);
      if (item.starts_with("@")) {
        read_file(item.substr(1), depth);
      } else {
        read_item(item);
      }
    }
  }

  ClassList take() { return std::move(list_); }

 private:
  void read_file(const std::string& name, int depth) {
    std::error_code ignored;
    const std::filesystem::file_status status = std::filesystem::status(name, ignored);
    if (!std::filesystem::is_regular_file(status)) {
      throw usage_error("@", one_line(name, 200),
                        std::filesystem::is_directory(status) ? ": a folder, not a list of classes"
                        : std::filesystem::exists(status)     ? ": not a regular file"
                                                              : ": no such file",
                        meant_from_here(name));
    }
    if (depth == kMostDepth) {
      throw usage_error("@", one_line(name, 200), ": files name each other in a circle");
    }
    constexpr std::string_view kMark = "\xef\xbb\xbf";  // UTF-8's, as some editors put it
    std::string content = read_text(name);
    content.erase(0, content.starts_with(kMark) ? kMark.size() : 0);
    std::istringstream lines(std::move(content));
    for (std::string line; std::getline(lines, line);) {
      const std::string items = trimmed(line.substr(0, line.find('#')));
      if (!items.empty()) {
        read(items, depth + 1);
      }
    }
  }

  void read_item(const std::string& item) {
    const size_t dash = item.find('-');
    const int64_t first = parse_index(trimmed(item.substr(0, dash)));
    if (first < 0) {
      if (item.find_first_not_of("0123456789- ") == std::string::npos) {
        throw usage_error(in_quotes(item), " is no class; ", kForms);
      }
      list_.push_back({item});
      return;
    }
    const int64_t last =
        dash == std::string::npos ? first : parse_index(trimmed(item.substr(dash + 1)));
    if (last < first || last > kMostClass) {
      throw usage_error(in_quotes(item), " is no range of classes; give it as 0-9");
    }
    list_.push_back({"", first, last});
  }

  ClassList list_;
};

}  // namespace

ClassList parse_class_list(const std::string& text) {
  Reader reader;
  reader.read(text, 0);
  ClassList list = reader.take();
  if (list.empty()) {
    throw usage_error(in_quotes(text), " names no class");
  }
  return list;
}

bool has_names(const ClassList& list) {
  return std::any_of(list.begin(), list.end(),
                     [](const ClassItem& item) { return item.last < item.first; });
}

ClassNames class_names(const std::vector<std::string>& own, int64_t class_count) {
  ClassNames names;
  for (const std::string& text : own) {
    names.push_back(synonyms_in(text));
  }
  const bool imagenet = static_cast<int64_t>(imagenet_names().size()) == class_count;
  return own.empty() && imagenet ? imagenet_names() : names;
}

std::vector<int64_t> class_numbers(const ClassList& list, const ClassNames& names) {
  std::vector<int64_t> numbers;
  std::set<int64_t> there;
  const auto add = [&](int64_t label) {
    if (!there.insert(label).second) {
      throw usage_error("class ", label, " is there twice");
    }
    numbers.push_back(label);
  };
  for (auto at = list.begin(); at != list.end(); ++at) {
    const ClassItem& item = *at;
    if (item.last < item.first) {
      const std::vector<std::string> whole = one_class(at, list.end(), names);
      add(whole.size() > 1 ? class_of_names(whole, names).value() : named_class(item.name, names));
      at += static_cast<ptrdiff_t>(whole.size()) - 1;
    }
    for (int64_t label = item.first; label <= item.last; ++label) {
      add(label);
    }
  }
  return numbers;
}

std::string class_list_name(const std::vector<int64_t>& classes) {
  constexpr size_t kLongest = 150;
  std::vector<std::string> labels;
  labels.reserve(classes.size());
  for (const int64_t label : classes) {
    labels.push_back(std::to_string(label));
  }
  const std::string all = join(labels, ",");
  return all.size() <= kLongest ? all : concat(classes.size(), "-", fnv1a_hex(all));
}

}  // namespace lazymar
