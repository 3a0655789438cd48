#include "score/image_source.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "files/mapped_file.h"
#include "files/missing_path.h"
#include "formats/foreign_file.h"
#include "formats/npz.h"
#include "formats/picture_kind.h"
#include "run/image_files.h"
#include "run/run_data.h"
#include "score/found_files.h"
#include "score/image_array.h"
#include "score/tar_images.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

bool is_array_file(const fs::path& path) {
  return extension_of(path) == ".npz" || extension_of(path) == ".npy";
}

void sort_by_name(std::vector<SourceImage>& images) {
  std::sort(images.begin(), images.end(),
            [](const SourceImage& a, const SourceImage& b) { return a.name < b.name; });
}

/// Files below a folder, without hidden ones and info/.
class FolderSource : public ImageSource {
 public:
  using ImageSource::ImageSource;

  ImageBytes read(size_t index) const override {
    const auto file = std::make_shared<const MappedFile>(path() / content().images[index].name);
    return {file->bytes(), std::nullopt, file};
  }
};

/// Members of tars, which stay mapped.
class TarSource : public ImageSource {
 public:
  TarSource(fs::path path, SourceContent content, OpenTars tars)
      : ImageSource(std::move(path), std::move(content)), tars_(std::move(tars)) {}

  ImageBytes read(size_t index) const override {
    const auto& [bytes, archive] = tars_.members.at(content().images[index].name);
    return {bytes, std::nullopt, tars_.archives[archive]};
  }

 private:
  OpenTars tars_;
};

/// The same sources, for a run.
template <typename Source>
class RunSource final : public Source {
 public:
  using Source::Source;
  bool is_run() const override { return true; }
};

SourceContent content_of(const std::vector<std::string>& names, const Misnamed& misnamed) {
  SourceContent content;
  content.planned = static_cast<int64_t>(names.size() + misnamed.size());
  for (const std::string& name : names) {
    content.images.push_back({name, image_id(name), ""});
  }
  for (const auto& [name, said] : misnamed) {
    content.images.push_back({name, std::nullopt, "", said});
  }
  sort_by_name(content.images);
  return content;
}

std::vector<std::string> names_of(const OpenTars& tars) {
  std::vector<std::string> names;
  for (const auto& [name, member] : tars.members) {
    names.push_back(name);
  }
  return names;
}

/// The images that a run's journals list, and which of them exist.
SourceContent run_content(const RunData& run, const std::set<std::string>& present) {
  constexpr int64_t kMostMissing = int64_t{1} << 24;  // their numbers are listed
  SourceContent content;
  content.planned = run.plan.num_images();
  if (content.planned > static_cast<int64_t>(run.images.size()) + kMostMissing) {
    throw usage_error(run.folder.string(), ": ", run.images.size(), " of ", content.planned,
                      " images are finished, too few to score; resume lazymar_eval first");
  }
  std::vector<bool> there(static_cast<size_t>(content.planned), false);
  for (const ShardRecord& shard : run.shards) {
    for (const ImageRecord& image : shard.images) {
      const std::string name = image_name(image.id);
      if (present.contains(name)) {
        content.images.push_back({name, image.id, image.sha256});
        there[static_cast<size_t>(image.id)] = true;
      }
    }
  }
  for (int64_t id = 0; id < content.planned; ++id) {
    if (!there[static_cast<size_t>(id)]) {
      content.missing.push_back(id);
    }
  }
  sort_by_name(content.images);
  return content;
}

std::unique_ptr<ImageSource> open_run(const fs::path& path) {
  const RunData run = read_run(path);
  if (run.settings.value("few_files", nlohmann::ordered_json()) == true) {
    OpenTars tars;
    for (const std::string& name : find_files(path).archives) {
      try {
        open_tar(path / name, tars);
      } catch (const Error& error) {
        log_warning(concat(error.what(), "; its images count as missing"));
      }
    }
    const std::vector<std::string> names = names_of(tars);
    return std::make_unique<RunSource<TarSource>>(
        path, run_content(run, {names.begin(), names.end()}), std::move(tars));
  }
  const FoundFiles found = find_files(path);
  return std::make_unique<RunSource<FolderSource>>(
      path, run_content(run, {found.pictures.begin(), found.pictures.end()}));
}

/// The error for a file that is neither a folder nor an archive of images.
Error not_a_set(const fs::path& path) {
  constexpr const char* kSets = "a set is a folder, .tar, .npz or .npy of images";
  const MappedFile file(path);
  if (const std::string other = foreign_file(file.bytes()); !other.empty()) {
    return usage_error(path.string(), ": ", other, "; ", kSets);
  }
  if (is_picture_name(path.filename().string())) {
    return usage_error(path.string(), ": one picture; scores compare sets: name its folder");
  }
  if (extension_of(path) == ".zip") {
    return usage_error(path.string(), ": a zip is not read; unpack it, since ", kSets);
  }
  return usage_error(path.string(), ": not a set of images; ", kSets);
}

/// The refusal of runs that are not to be merged.
Error held_runs(const fs::path& path, const std::vector<std::string>& runs, RunsBelow below) {
  return usage_error(
      path.string(), ": ", held_runs_text(runs),
      below == RunsBelow::kOfferMerge ? ", or score all images as one set with --merge" : "");
}

/// Several runs are no set, unless the user says so.
void check_runs(const fs::path& path, const FoundFiles& found, RunsBelow below) {
  for (const std::string& run : found.runs) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(path / run, ignored)) {
      if (below == RunsBelow::kMerged && extension_of(entry.path()) == ".tar") {
        throw usage_error((path / run).string(),
                          ": its images are in tars, which --merge does not ",
                          "read; name this run alone");
      }
    }
  }
  if (!found.runs.empty() && below != RunsBelow::kMerged) {
    throw held_runs(path, found.runs, below);
  }
}

/// One run in tars is its pictures.
void check_runs(const fs::path& path, const OpenTars& tars, RunsBelow below) {
  if (tars.runs.size() > 1 && below != RunsBelow::kMerged) {
    throw held_runs(path, {tars.runs.begin(), tars.runs.end()}, below);
  }
}

std::unique_ptr<ImageSource> open_any(const fs::path& path, RunsBelow below) {
  std::error_code ignored;
  if (is_array_file(path)) {
    return open_image_array(path);
  }
  OpenTars tars;
  if (fs::is_directory(path, ignored)) {
    if (fs::exists(path / kInfo / kManifest, ignored)) {
      return open_run(path);
    }
    const FoundFiles found = find_files(path);
    check_runs(path, found, below);
    if (!found.pictures.empty() || (found.archives.empty() && !found.misnamed.empty())) {
      return std::make_unique<FolderSource>(path, content_of(found.pictures, found.misnamed));
    }
    tars.misnamed = found.misnamed;
    for (const std::string& name : found.archives) {
      open_tar(path / name, tars);
    }
  } else if (extension_of(path) == ".tar") {
    open_tar(path, tars);
  } else if (fs::exists(path, ignored)) {
    throw not_a_set(path);
  } else {
    throw usage_error(path.string(), ": not found", meant_from_here(path));
  }
  check_runs(path, tars, below);
  SourceContent content = content_of(names_of(tars), tars.misnamed);
  return std::make_unique<TarSource>(path, std::move(content), std::move(tars));
}

}  // namespace

std::unique_ptr<ImageSource> open_image_source(const fs::path& path, RunsBelow below) {
  fs::path named = path.lexically_normal();
  if (!named.has_filename()) {  // a slash at the end
    named = named.parent_path();
  }
  std::unique_ptr<ImageSource> source = open_any(named, below);
  if (source->content().images.empty()) {
    throw usage_error(
        named.string(),
        ": contains no images (.png, .jpg, .bmp, .ppm, .tif, .webp, or tars of them)");
  }
  return source;
}

bool npz_has(const fs::path& path, const std::string& array) {
  std::error_code ignored;
  return is_array_file(path) && fs::is_regular_file(path, ignored) &&
         NpzFile(path).arrays().has(array);
}

}  // namespace lazymar
