#include "files/writable_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/error.h"
#include "files/atomic_file.h"
#include "files/descriptor.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

Error unwritable(std::string_view name, const fs::path& place, const std::string& reason) {
  return output_error(name, " ", place.string(), ": cannot be written: ", reason,
                      "; choose a writable path");
}

/// Permissions are not enough: root has all of them, but cannot create a file in /proc.
void try_folder(const fs::path& folder, const fs::path& place, std::string_view name) {
  const fs::path file = folder / concat(".lazymar.", process_token(), ".tmp");
  const Descriptor made(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (made.number() < 0 && errno != EEXIST) {
    throw unwritable(
        name, place,
        concat("cannot create a file in ", folder.string(), ": ", std::strerror(errno)));
  }
  ::unlink(file.c_str());
}

}  // namespace

void check_output_folder(const fs::path& folder, std::string_view name) {
  std::error_code ignored;
  fs::path nearest = fs::absolute(folder.empty() ? "." : folder).lexically_normal();
  while (!fs::exists(nearest, ignored) && nearest.has_relative_path()) {
    nearest = nearest.parent_path();
  }
  if (!fs::is_directory(nearest, ignored)) {
    throw unwritable(name, folder, concat(nearest.string(), " is not a folder"));
  }
  try_folder(nearest, folder, name);
}

void check_output_file(const fs::path& file, std::string_view name) {
  std::error_code ignored;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored)) {
    throw unwritable(name, file,
                     concat(folder.string(),
                            fs::exists(folder, ignored) ? " is not a folder" : " does not exist"));
  }
  // Renaming a file into place would replace a device, too.
  if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored)) {
    throw unwritable(name, file, "it exists and is not a file");
  }
  try_folder(folder, file, name);
}

}  // namespace lazymar
