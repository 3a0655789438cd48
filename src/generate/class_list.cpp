#include "generate/class_list.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/missing_path.h"
#include "files/text_file.h"
#include "generate/class_index.h"
#include "generate/class_names.h"

namespace lazymar {
namespace {

constexpr int64_t kMostClass = 1 << 20;
constexpr int kMostDepth = 4;  // of files that name files

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

/// Takes time in proportion to the smaller.
std::set<int64_t> in_both(const std::set<int64_t>& a, const std::set<int64_t>& b) {
  if (b.size() < a.size()) {
    return in_both(b, a);
  }
  std::set<int64_t> both;
  for (const int64_t label : a) {
    if (b.contains(label)) {
      both.insert(label);
    }
  }
  return both;
}

/// A class in a list, and how many items name it: messages list a class with its synonyms, "tench,
/// Tinca tinca".
struct NamedClass {
  int64_t label = 0;
  ptrdiff_t items = 1;
};

/// The class that is named from here on.
NamedClass named_class(ClassList::const_iterator from, ClassList::const_iterator end,
                       const ClassIndex& index) {
  const auto first = from;
  std::set<std::string> there{from->name};
  const std::set<int64_t>* classes = &index.classes_named(from->name);
  std::set<int64_t> only;
  while (++from != end && from->last < from->first && there.insert(from->name).second) {
    std::set<int64_t> both = in_both(*classes, index.classes_named(from->name));
    if (both.size() != 1) {
      break;
    }
    only = std::move(both);
    classes = &only;
  }
  const ptrdiff_t items = from - first;
  return {items > 1 ? *only.begin() : index.class_of(first->name), items};
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
        throw usage_error(in_quotes(item), " is no class; ", kClassForms);
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
  const ClassIndex index(names);
  for (auto at = list.begin(); at != list.end(); ++at) {
    const ClassItem& item = *at;
    if (item.last < item.first) {
      const NamedClass named = named_class(at, list.end(), index);
      add(named.label);
      at += named.items - 1;
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
