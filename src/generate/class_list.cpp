#include "generate/class_list.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/text_file.h"
#include "generate/class_names.h"

namespace lazymar {
namespace {

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

/// Synonyms of every class, by its number.
const std::vector<std::vector<std::string>>& names() {
  static const auto all = [] {
    std::vector<std::vector<std::string>> classes;
    std::istringstream lines(kImageNetClasses);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("#")) {
        continue;
      }
      std::vector<std::string>& synonyms = classes.emplace_back();
      for (const std::string& name : split(line, ',')) {
        synonyms.push_back(trimmed(name));
      }
    }
    return classes;
  }();
  return all;
}

using Found = std::map<int64_t, std::string>;  ///< class and the synonym that fits

template <typename Fits>
Found find_names(const Fits& fits) {
  Found found;
  for (size_t i = 0; i < names().size(); ++i) {
    for (const std::string& name : names()[i]) {
      if (fits(normal(name))) {
        found.try_emplace(static_cast<int64_t>(i), name);
      }
    }
  }
  return found;
}

std::string listed(const Found& found) {
  constexpr size_t kMost = 8;
  std::vector<std::string> texts;
  for (const auto& [label, name] : found) {
    if (texts.size() == kMost) {
      texts.emplace_back("...");
      break;
    }
    const std::vector<std::string>& all = names()[static_cast<size_t>(label)];
    const std::string other = name != all.front() ? name : all.size() > 1 ? all[1] : "";
    texts.push_back(concat(label, " (", all.front(), other.empty() ? "" : ", " + other, ")"));
  }
  return join(texts, ", ");
}

int64_t named_class(const std::string& item) {
  const std::string wanted = normal(item);
  const Found exact = find_names([&](const std::string& name) { return name == wanted; });
  if (exact.size() == 1) {
    return exact.begin()->first;
  }
  if (!exact.empty()) {
    throw usage_error(in_quotes(item), " is the name of ", exact.size(),
                      " classes; give a number: ", listed(exact));
  }
  const Found parts = find_names([&](const std::string& name) {
    return concat(" ", name, " ").find(concat(" ", wanted, " ")) != std::string::npos;
  });
  if (!parts.empty()) {
    throw usage_error(in_quotes(item), " is part of ", parts.size(), " names; give one of ",
                      listed(parts));
  }
  std::vector<std::string> all;
  for (const std::vector<std::string>& synonyms : names()) {
    all.insert(all.end(), synonyms.begin(), synonyms.end());
  }
  const std::string nearest = nearest_word(item, all);
  throw usage_error(
      in_quotes(item), " is no class",
      nearest.empty() ? "" : concat("; did you mean ", nearest, "?"),
      "; use class numbers (207), ranges (0-9), names of ImageNet's classes or @FILE,",
      " separated by commas");
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
    if (!std::filesystem::is_regular_file(name, ignored)) {
      throw usage_error("@", one_line(name, 200), ": no such file");
    }
    if (depth == kMostDepth) {
      throw usage_error("@", one_line(name, 200), ": files name each other in a circle");
    }
    std::istringstream lines(read_text(name));
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
      list_.named = true;
      add(named_class(item));
      return;
    }
    const int64_t last =
        dash == std::string::npos ? first : parse_index(trimmed(item.substr(dash + 1)));
    if (last < first || last > kMostClass) {
      throw usage_error(in_quotes(item), " is no range of classes; give it as 0-9");
    }
    for (int64_t label = first; label <= last; ++label) {
      add(label);
    }
  }

  void add(int64_t label) {
    if (!there_.insert(label).second) {
      throw usage_error("class ", label, " is there twice");
    }
    list_.classes.push_back(label);
  }

  ClassList list_;
  std::set<int64_t> there_;
};

}  // namespace

ClassList parse_class_list(const std::string& text) {
  Reader reader;
  reader.read(text, 0);
  ClassList list = reader.take();
  if (list.classes.empty()) {
    throw usage_error(in_quotes(text), " names no class");
  }
  return list;
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
