#include "files/missing_path.h"

#include <system_error>

#include "core/error.h"

namespace lazymar {

std::string meant_from_here(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path here = path.relative_path();
  const bool there = path.is_absolute() && !here.empty() &&
                     !std::filesystem::exists(path, ignored) &&
                     std::filesystem::exists(here, ignored);
  return there ? concat("; did you mean ", here.string(), "?") : "";
}

}  // namespace lazymar
