#include "score/tar_images.h"

#include <string_view>

#include "core/error.h"
#include "files/byte_reader.h"
#include "formats/foreign_file.h"
#include "formats/picture_kind.h"
#include "formats/tar.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

/// Of a tar's member: macOS packs "._00000.png" beside each file.
bool is_hidden(const fs::path& member) {
  return member.filename().string().starts_with(".");
}

/// The folders of a tar that hold a run's manifest.
std::set<std::string> runs_in(const std::vector<TarEntry>& entries) {
  std::set<std::string> runs;
  for (const TarEntry& entry : entries) {
    const fs::path member(entry.name);
    if (member.filename() == kManifest && member.parent_path().filename() == kInfo) {
      const fs::path run = member.parent_path().parent_path();
      runs.insert(run.empty() ? "." : run.string());
    }
  }
  return runs;
}

/// Whether a member is in a run's info/, where no image is.
bool is_info(const fs::path& member, const std::set<std::string>& runs) {
  fs::path above;
  for (const fs::path& part : member.parent_path()) {
    if (part == kInfo && runs.contains(above.empty() ? "." : above.string())) {
      return true;
    }
    above /= part;
  }
  return false;
}

}  // namespace

void open_tar(const fs::path& path, OpenTars& tars) {
  const auto file = std::make_shared<const MappedFile>(path);
  if (const std::string other = foreign_file(file->bytes()); !other.empty()) {
    throw usage_error(path.string(), ": ", other);
  }
  const std::vector<TarEntry> entries = read_tar(file->bytes(), path.string());
  const std::set<std::string> runs = runs_in(entries);
  tars.runs.insert(runs.begin(), runs.end());
  for (const TarEntry& entry : entries) {
    if (is_hidden(entry.name) || is_info(entry.name, runs)) {
      continue;
    }
    if (!is_picture_name(entry.name)) {
      const std::string_view content = as_text(entry.content);
      if (const std::string said = misnamed_picture(content.substr(0, kPictureStart));
          !said.empty()) {
        tars.misnamed.emplace(entry.name, said);
      }
    } else if (!tars.members.try_emplace(entry.name, entry.content, tars.archives.size()).second) {
      throw usage_error(path.string(), ": ", entry.name, " is also in another tar");
    }
  }
  tars.archives.push_back(file);
}

}  // namespace lazymar
