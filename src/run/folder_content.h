#pragma once
/// Whose files a folder holds: a run's, or others that must stay as they are.

#include <cstdint>
#include <filesystem>
#include <string>

namespace lazymar {

/// True if some run has begun in this folder: --overwrite deletes nothing else.
bool is_run_folder(const std::filesystem::path& folder);

/// Deletes the images and info/, but for info/ranks, where the caller is registered.
void remove_run(const std::filesystem::path& folder);

/// A file in the folder that no run with this manifest can have written; empty if there is none.
/// Any PNG counts, because scoring a folder reads them all.
std::string file_of_others(const std::filesystem::path& folder, bool has_manifest,
                           int64_t num_images);

}  // namespace lazymar
