#include "files/pretrained.h"

#include <cstdlib>

#include "core/error.h"
#include "core/text.h"
#include "files/byte_reader.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "pretrained_models";
constexpr size_t kLongestPath = 300;

/// bin/ and share/lazymar/ are side by side in an installation, and in the Python package. Empty if
/// there is none.
fs::path installed_folder() {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  if (failed) {
    return {};
  }
  fs::path folder = program.parent_path().parent_path() / "share/lazymar" / kFolder;
  return fs::is_directory(folder, failed) ? folder : fs::path();
}

}  // namespace

std::vector<fs::path> pretrained_folders(const std::optional<fs::path>& chosen) {
  std::vector<fs::path> folders;
  if (chosen) {
    folders.push_back(*chosen);
  }
  if (const char* const home = std::getenv("LAZYMAR_HOME"); home != nullptr && *home != '\0') {
    folders.push_back(fs::path(home) / kFolder);
  }
  folders.emplace_back(kFolder);
  if (fs::path installed = installed_folder(); !installed.empty()) {
    folders.push_back(std::move(installed));
  }
  return folders;
}

fs::path find_pretrained(const fs::path& path, const std::optional<fs::path>& chosen) {
  if (path.empty() || *path.begin() != kFolder) {
    return path;
  }
  const fs::path below = path.lexically_relative(kFolder);
  for (const fs::path& folder : pretrained_folders(chosen)) {
    std::error_code ignored;
    if (fs::exists(folder / below, ignored)) {
      return folder / below;
    }
  }
  return path;
}

std::string where_looked(const std::optional<fs::path>& chosen) {
  std::vector<std::string> places;
  for (const fs::path& folder : pretrained_folders(chosen)) {
    std::error_code failed;
    const fs::path whole = fs::absolute(folder, failed);
    std::error_code missing;
    places.push_back(concat(one_line((failed ? folder : whole).string(), kLongestPath),
                            fs::is_directory(folder, missing) ? "" : " (no such folder)"));
  }
  return concat("; looked in ", join(places, ", "), "; --checkpoint_dir names another folder");
}

}  // namespace lazymar
