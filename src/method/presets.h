#pragma once
/// Decoding methods by name: each a list of options, with the source of every value.

#include <string>
#include <string_view>
#include <vector>

#include "core/table.h"

namespace lazymar {

/// Where a value comes from.
enum class SourceKind {
  kPaper,
  kCode,        ///< the authors' code, at a commit
  kSecondHand,  ///< a note about the paper: neither paper nor code could be read
  kOurs,        ///< our choice, where the authors say nothing or there is no author
};
std::string_view to_string(SourceKind kind);

/// An option of lazymar_eval, as on its command line; a switch has no value.
struct PresetOption {
  std::string_view option, value;
  SourceKind kind;
  std::string_view source;
};

/// A row of the table of presets.
struct MethodPreset {
  std::string_view name;
  std::string_view what;
  std::vector<PresetOption> options;  ///< what differs from MAR as released
};

/// To add a method that needs no new code, write its row in presets.cpp.
Table<MethodPreset>& presets();

/// The options as a command line: "--order checkerboard:3 --lazy_mar".
std::string command_line(const MethodPreset& preset);

}  // namespace lazymar
