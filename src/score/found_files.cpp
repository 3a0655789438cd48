#include "score/found_files.h"

#include <fstream>

#include "core/error.h"
#include "core/text.h"
#include "formats/picture_kind.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

std::string start_of(const fs::path& path) {
  std::string start(kPictureStart, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<size_t>(file.gcount()));
  return start;
}

}  // namespace

std::string extension_of(const fs::path& path) {
  return lower(path.extension().string());
}

std::string misnamed_picture(std::string_view start) {
  const PictureFormat format = certain_picture_format(start);
  return format.name.empty()
             ? ""
             : concat(format.name, " by its content, but its name does not end as a ",
                      "picture's; rename it to have it read");
}

FoundFiles find_files(const fs::path& folder) {
  FoundFiles found;
  std::error_code error;
  fs::recursive_directory_iterator walk(folder, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    const fs::path& path = walk->path();
    const std::string name = path.filename().string();
    std::error_code ignored;
    const bool own = walk.depth() == 0 || fs::exists(path / kManifest, ignored);
    const bool hidden = name.starts_with(".") || (own && name == kInfo);
    if (walk->is_directory(ignored)) {
      if (hidden) {
        walk.disable_recursion_pending();
      } else if (fs::exists(path / kInfo / kManifest, ignored)) {
        found.runs.push_back(path.lexically_relative(folder).string());
      }
    } else if (!hidden && is_picture_name(path.filename().string())) {
      found.pictures.push_back(path.lexically_relative(folder).string());
    } else if (!hidden && walk.depth() == 0 && extension_of(path) == ".tar") {
      found.archives.push_back(name);
    } else if (!hidden && fs::is_regular_file(path, ignored)) {  // of a pipe, reading would wait
      if (const std::string said = misnamed_picture(start_of(path)); !said.empty()) {
        found.misnamed.emplace(path.lexically_relative(folder).string(), said);
      }
    }
  }
  if (error) {
    throw usage_error(folder.string(), ": cannot be read: ", error.message());
  }
  return found;
}

}  // namespace lazymar
