#pragma once
/// Which class has a name.

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>

#include "generate/class_list.h"

namespace lazymar {

/// For messages: what a list of classes may contain.
inline constexpr const char* kClassForms =
    "use class numbers (0), ranges (0-9), names or @FILE, separated by commas";

/// The classes of each name, made once: a long list does not look at all names for each item. Names
/// count without regard to case, dashes or underscores. `names` must outlive it.
class ClassIndex {
 public:
  explicit ClassIndex(const ClassNames& names);

  const std::set<int64_t>& classes_named(const std::string& name) const;
  /// The only class of that name. Throws Error (usage) if none or several have it, naming what is
  /// near or listing them.
  int64_t class_of(const std::string& name) const;

 private:
  const ClassNames& names_;
  std::unordered_map<std::string, std::set<int64_t>> classes_;
};

}  // namespace lazymar
