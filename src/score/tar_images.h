#pragma once
/// Pictures in tars.

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "files/mapped_file.h"
#include "score/found_files.h"

namespace lazymar {

/// Tars that stay mapped, and their pictures by name.
struct OpenTars {
  std::vector<std::shared_ptr<const MappedFile>> archives;
  /// A picture's bytes, and the index of its archive.
  std::map<std::string, std::pair<std::span<const std::byte>, size_t>> members;
  Misnamed misnamed;
  std::set<std::string> runs;  ///< folders in the tars that hold a run's manifest
};

/// Adds a tar's pictures; without hidden files, and without those in a run's info/. Throws Error
/// (usage) if it cannot be read, or a picture's name is in another tar, too.
void open_tar(const std::filesystem::path& path, OpenTars& tars);

}  // namespace lazymar
