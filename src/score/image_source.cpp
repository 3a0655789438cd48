#include "score/image_source.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "files/mapped_file.h"
#include "formats/npz.h"
#include "formats/tar.h"
#include "run/image_files.h"
#include "run/run_data.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

bool is_picture(const fs::path& path) {
  const std::string extension = extension_of(path);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
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
  using Archives = std::vector<std::shared_ptr<const MappedFile>>;
  using Members = std::map<std::string, std::pair<std::span<const std::byte>, size_t>>;

  TarSource(fs::path path, SourceContent content, Archives archives, Members members)
      : ImageSource(std::move(path), std::move(content)),
        archives_(std::move(archives)),
        members_(std::move(members)) {}

  ImageBytes read(size_t index) const override {
    const auto& [bytes, archive] = members_.at(content().images[index].name);
    return {bytes, std::nullopt, archives_[archive]};
  }

 private:
  Archives archives_;
  Members members_;
};

/// The same sources, for a run.
template <typename Source>
class RunSource final : public Source {
 public:
  using Source::Source;
  bool is_run() const override { return true; }
};

class NpzSource final : public ImageSource {
 public:
  NpzSource(const fs::path& path, SourceContent content, std::shared_ptr<const NpzFile> file,
            const NpyArray& array)
      : ImageSource(path, std::move(content)),
        file_(std::move(file)),
        bytes_(array.bytes),
        height_(array.shape[1]),
        width_(array.shape[2]) {}

  ImageBytes read(size_t index) const override {
    const auto size = static_cast<size_t>(height_ * width_ * 3);
    return {bytes_.subspan(index * size, size), std::pair(width_, height_), file_};
  }

 private:
  std::shared_ptr<const NpzFile> file_;
  std::span<const std::byte> bytes_;
  int64_t height_, width_;
};

std::unique_ptr<ImageSource> open_npz(const fs::path& path) {
  const auto file = std::make_shared<const NpzFile>(path);
  const NpyArray array = file->arrays().array("arr_0");
  if (array.type != ElementType::kU8 || array.shape.size() != 4 || array.shape[3] != 3 ||
      array.column_major || array.shape[0] < 1 || array.shape[1] < 1 || array.shape[2] < 1) {
    throw usage_error(path.string(), ": arr_0 is ", shape_string(array.shape),
                      ", not images [N, H, W, 3] of 8 bits, row-major");
  }
  SourceContent content;
  content.planned = array.shape[0];
  for (int64_t i = 0; i < array.shape[0]; ++i) {
    content.images.push_back({concat("arr_0[", i, "]"), i, ""});
  }
  return std::make_unique<NpzSource>(path, std::move(content), file, array);
}

/// Names of pictures and of tars below a folder.
struct FoundFiles {
  std::vector<std::string> pictures, archives;
};

FoundFiles find_files(const fs::path& folder) {
  FoundFiles found;
  std::error_code error;
  fs::recursive_directory_iterator walk(folder, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    const fs::path& path = walk->path();
    const std::string name = path.filename().string();
    const bool hidden = name.starts_with(".") || (walk.depth() == 0 && name == "info");
    std::error_code ignored;
    if (walk->is_directory(ignored)) {
      if (hidden) {
        walk.disable_recursion_pending();
      }
    } else if (!hidden && is_picture(path)) {
      found.pictures.push_back(path.lexically_relative(folder).string());
    } else if (!hidden && walk.depth() == 0 && extension_of(path) == ".tar") {
      found.archives.push_back(name);
    }
  }
  if (error) {
    throw usage_error(folder.string(), ": cannot be read: ", error.message());
  }
  return found;
}

struct OpenTars {
  TarSource::Archives archives;
  TarSource::Members members;
};

void open_tar(const fs::path& path, OpenTars& tars) {
  const auto file = std::make_shared<const MappedFile>(path);
  for (const TarEntry& entry : read_tar(file->bytes(), path.string())) {
    if (is_picture(entry.name)) {
      if (!tars.members.try_emplace(entry.name, entry.content, tars.archives.size()).second) {
        throw usage_error(path.string(), ": ", entry.name, " is also in another tar");
      }
    }
  }
  tars.archives.push_back(file);
}

SourceContent content_of(const std::vector<std::string>& names) {
  SourceContent content;
  content.planned = static_cast<int64_t>(names.size());
  for (const std::string& name : names) {
    content.images.push_back({name, image_id(name), ""});
  }
  sort_by_name(content.images);
  return content;
}

std::vector<std::string> names_of(const TarSource::Members& members) {
  std::vector<std::string> names;
  for (const auto& [name, member] : members) {
    names.push_back(name);
  }
  return names;
}

/// The images that a run's journals list, and which of them exist.
SourceContent run_content(const RunData& run, const std::set<std::string>& present) {
  SourceContent content;
  content.planned = run.plan.num_images();
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
    const std::vector<std::string> names = names_of(tars.members);
    return std::make_unique<RunSource<TarSource>>(
        path, run_content(run, {names.begin(), names.end()}), std::move(tars.archives),
        std::move(tars.members));
  }
  const FoundFiles found = find_files(path);
  return std::make_unique<RunSource<FolderSource>>(
      path, run_content(run, {found.pictures.begin(), found.pictures.end()}));
}

std::unique_ptr<ImageSource> open_any(const fs::path& path) {
  std::error_code ignored;
  if (extension_of(path) == ".npz") {
    return open_npz(path);
  }
  OpenTars tars;
  if (fs::is_directory(path, ignored)) {
    if (fs::exists(path / "info" / "manifest.json", ignored)) {
      return open_run(path);
    }
    const FoundFiles found = find_files(path);
    if (!found.pictures.empty()) {
      return std::make_unique<FolderSource>(path, content_of(found.pictures));
    }
    for (const std::string& name : found.archives) {
      open_tar(path / name, tars);
    }
  } else if (extension_of(path) == ".tar") {
    open_tar(path, tars);
  } else if (fs::exists(path, ignored)) {
    throw usage_error(path.string(), ": not a folder, .tar or .npz of images");
  } else {
    throw usage_error(path.string(), ": not found");
  }
  SourceContent content = content_of(names_of(tars.members));
  return std::make_unique<TarSource>(path, std::move(content), std::move(tars.archives),
                                     std::move(tars.members));
}

}  // namespace

std::unique_ptr<ImageSource> open_image_source(const fs::path& path) {
  fs::path named = path.lexically_normal();
  if (!named.has_filename()) {  // a slash at the end
    named = named.parent_path();
  }
  std::unique_ptr<ImageSource> source = open_any(named);
  if (source->content().images.empty()) {
    throw usage_error(named.string(), ": contains no images (.png, .jpg, .jpeg, or tars of them)");
  }
  return source;
}

bool npz_has(const fs::path& path, const std::string& array) {
  std::error_code ignored;
  return extension_of(path) == ".npz" && fs::is_regular_file(path, ignored) &&
         NpzFile(path).arrays().has(array);
}

}  // namespace lazymar
