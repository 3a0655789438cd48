#pragma once
/// What --classes takes: numbers, ranges, ImageNet's names, files.

#include <cstdint>
#include <string>
#include <vector>

namespace lazymar {

struct ClassList {
  std::vector<int64_t> classes;
  bool named = false;  ///< an item was a name: only a model of ImageNet's 1000 classes has it
};

/// The number of ImageNet's classes, which have names.
inline constexpr int64_t kImageNetClassCount = 1000;

/// Items are separated by commas: "207", "0-9" (both ends included), "golden retriever" (a synonym
/// of a class, without regard to case, dashes or underscores), or "@FILE", whose lines are items
/// and may be lists; blank lines and what follows a "#" are skipped. Throws Error (usage): an item
/// that is none of these, naming what is near; a name of several classes, listing them; a class
/// twice.
ClassList parse_class_list(const std::string& text);

/// The classes in the name of a run folder: "207,360"; their number and a hash if that is long,
/// since names of files have 255 bytes.
std::string class_list_name(const std::vector<int64_t>& classes);

}  // namespace lazymar
