#include "files/pretrained.h"

#include <dlfcn.h>

#include "core/error.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/environment.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "pretrained_models";
constexpr size_t kLongestPath = 300;

/// The file that this code is in: a program in bin/, or the library in lib/ of another program.
std::vector<fs::path> own_files() {
  std::vector<fs::path> files;
  std::error_code failed;
  Dl_info info{};
  static const char anchor = 0;
  if (::dladdr(&anchor, &info) != 0 && info.dli_fname != nullptr) {
    files.push_back(fs::canonical(info.dli_fname, failed));  // empty if it failed
  }
  files.push_back(fs::read_symlink("/proc/self/exe", failed));
  return files;
}

/// bin/, lib/ and share/lazymar/ are side by side in an installation, and in the Python package;
/// lib/ may have one more level. Empty if nothing is installed.
fs::path installed_folder() {
  for (const fs::path& file : own_files()) {
    const fs::path prefix = file.parent_path().parent_path();
    for (const fs::path& place : {prefix, prefix.parent_path()}) {
      std::error_code failed;
      fs::path folder = place / "share/lazymar" / kFolder;
      if (!file.empty() && fs::is_directory(folder, failed)) {
        return folder;
      }
    }
  }
  return {};
}

}  // namespace

std::vector<fs::path> pretrained_folders(const std::optional<fs::path>& chosen) {
  std::vector<fs::path> folders;
  if (chosen) {
    folders.push_back(*chosen);
  }
  if (const std::string home = text_of(own_environment, "LAZYMAR_HOME"); !home.empty()) {
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

std::string pretrained_places(const std::optional<fs::path>& chosen) {
  std::vector<std::string> places;
  for (const fs::path& folder : pretrained_folders(chosen)) {
    std::error_code failed;
    const fs::path whole = fs::absolute(folder, failed);
    std::error_code missing;
    places.push_back(concat(one_line((failed ? folder : whole).string(), kLongestPath),
                            fs::is_directory(folder, missing) ? "" : " (no such folder)"));
  }
  return join(places, ", ");
}

std::string where_looked(const std::optional<fs::path>& chosen) {
  return concat("; looked in ", pretrained_places(chosen),
                "; --checkpoint_dir names another folder");
}

}  // namespace lazymar
