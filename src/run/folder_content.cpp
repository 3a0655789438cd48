#include "run/folder_content.h"

#include "run/image_files.h"
#include "run/journal.h"

namespace lazymar {

namespace fs = std::filesystem;

void remove_run(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path name = entry.path().filename();
    if (image_id(name.string()) || is_archive_name(name.string())) {
      fs::remove(entry.path());
    }
  }
  for (const auto& entry : fs::directory_iterator(folder / "info")) {
    if (entry.path().filename() != "ranks") {  // this process is already registered there
      fs::remove_all(entry.path());
    }
  }
}

std::string file_of_others(const fs::path& folder, bool has_manifest, int64_t num_images) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path name = entry.path().filename();
    const auto id = image_id(name.string());
    const bool own = has_manifest && (id ? *id < num_images : name.extension() != ".png");
    if (!own && (name.extension() == ".png" || is_archive_name(name.string()))) {
      return name.string();
    }
  }
  return {};
}

bool is_run_folder(const fs::path& folder) {
  const fs::path info = folder / "info";
  return fs::is_regular_file(info / "manifest.json") || !journal_files(info).empty();
}

}  // namespace lazymar
