#include "generate/class_index.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "files/byte_reader.h"

namespace lazymar {
namespace {

/// As names are compared: lower case, one kind of space.
std::string normal(std::string text) {
  text = lower(std::move(text));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '-' || c == '_'; }, ' ');
  return text;
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
                     did_you_mean(item, all, "; did you mean ", "?"), "; ", kClassForms,
                     "; it has ",
                     listed(names, find_names(names, [](const std::string&) { return true; })));
}

}  // namespace

ClassIndex::ClassIndex(const ClassNames& names) : names_(names) {
  for (size_t i = 0; i < names.size(); ++i) {
    for (const std::string& name : names[i]) {
      classes_[normal(name)].insert(static_cast<int64_t>(i));
    }
  }
}

const std::set<int64_t>& ClassIndex::classes_named(const std::string& name) const {
  static const std::set<int64_t> none;
  const auto found = classes_.find(normal(name));
  return found == classes_.end() ? none : found->second;
}

int64_t ClassIndex::class_of(const std::string& name) const {
  const std::set<int64_t>& exact = classes_named(name);
  if (exact.size() == 1) {
    return *exact.begin();
  }
  const std::string wanted = normal(name);
  if (!exact.empty()) {
    throw usage_error(
        in_quotes(name), " is the name of ", exact.size(), " classes; give a number: ",
        listed(names_,
               find_names(names_, [&](const std::string& each) { return each == wanted; })));
  }
  const Found parts = find_names(names_, [&](const std::string& each) {
    return concat(" ", each, " ").find(concat(" ", wanted, " ")) != std::string::npos;
  });
  if (!parts.empty()) {
    throw usage_error(in_quotes(name), " is part of the names of ", parts.size(),
                      parts.size() == 1 ? " class; give " : " classes; give one of ",
                      listed(names_, parts));
  }
  throw no_class(name, names_);
}

}  // namespace lazymar
