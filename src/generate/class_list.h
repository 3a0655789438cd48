#pragma once
/// What --classes takes: numbers, ranges, names, files.

#include <cstdint>
#include <string>
#include <vector>

namespace lazymar {

/// A class by its name, or classes by their numbers.
struct ClassItem {
  std::string name;              ///< then the range is empty
  int64_t first = 0, last = -1;  ///< both ends included
};
using ClassList = std::vector<ClassItem>;

/// The names of each class, by its number: synonyms.
using ClassNames = std::vector<std::vector<std::string>>;

/// Items are separated by commas: "207", "0-9" (both ends included), "golden retriever", or
/// "@FILE", whose lines are items and may be lists; blank lines and what follows a "#" are skipped.
/// Throws Error (usage) for a range that is none, an item that is neither a number nor a
/// name, and a file that cannot be read.
ClassList parse_class_list(const std::string& text);

/// Whether an item is a name.
bool has_names(const ClassList& list);

/// The names that a model's classes have: its own if it has some; else ImageNet's, if there are as
/// many. `own`: one text for each class, whose synonyms are separated by commas, or none.
ClassNames class_names(const std::vector<std::string>& own, int64_t class_count);

/// The numbers of the listed classes. Names count without regard to case, dashes or underscores.
/// Throws Error (usage): a name that no class has, naming what is near; a name of several classes,
/// listing them; a class twice.
std::vector<int64_t> class_numbers(const ClassList& list, const ClassNames& names);

/// The classes in the name of a run folder: "207,360"; their number and a hash if that is long,
/// since names of files have 255 bytes.
std::string class_list_name(const std::vector<int64_t>& classes);

}  // namespace lazymar
