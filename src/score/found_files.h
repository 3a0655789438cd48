#pragma once
/// What a folder of images holds.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

inline constexpr const char* kInfo = "info";  ///< of a run folder
inline constexpr const char* kManifest = "manifest.json";

/// In lower case: ".tar".
std::string extension_of(const std::filesystem::path& path);

/// Pictures under names that say nothing of it, and what is said of them.
using Misnamed = std::map<std::string, std::string>;

/// What is below a folder: names of pictures, of tars at its top, and of run folders.
struct FoundFiles {
  std::vector<std::string> pictures, archives, runs;
  Misnamed misnamed;
};

/// Without hidden files and those in a run folder's info/. Of files that no name tells apart, reads
/// the first bytes. Throws Error (usage) if a folder cannot be read.
FoundFiles find_files(const std::filesystem::path& folder);

/// What is said of a file that begins so, if it is a picture; empty otherwise.
std::string misnamed_picture(std::string_view start);

}  // namespace lazymar
