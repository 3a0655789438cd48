#include "run/image_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "core/error.h"
#include "core/option_field.h"
#include "files/descriptor.h"
#include "files/mapped_file.h"
#include "files/sha256.h"
#include "formats/image.h"
#include "formats/png.h"
#include "formats/tar.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kArchiveBegin = "block-";
constexpr std::string_view kArchiveEnd = ".tar";

std::string archive_name(int64_t shard) {
  return concat(kArchiveBegin, padded_number(shard), kArchiveEnd);
}

/// What is wrong with one PNG; empty if nothing is.
std::string png_damage(std::span<const std::byte> png, const ImageRecord& expected, bool deep) {
  if (png.size() != static_cast<size_t>(expected.bytes)) {
    return concat("has ", png.size(), " bytes instead of ", expected.bytes);
  }
  if (png.size() < 2 * kPngMargin || !looks_like_png(png.first(kPngMargin), png.last(kPngMargin))) {
    return "is not a complete PNG";
  }
  if (deep && sha256(png) != expected.sha256) {
    return "does not match its recorded hash";
  }
  if (deep && !decode_png(png)) {
    return "cannot be decoded";
  }
  return {};
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw output_error(to.string(), ": cannot rename into place: ", std::strerror(errno));
  }
}

void sync_with(int (*sync)(int), const fs::path& path) {
  const Descriptor folder = open_file(path, O_RDONLY);
  check_synced(folder.number() < 0 ? -1 : sync(folder.number()), path);
}

}  // namespace

Durability parse_durability(const std::string& text) {
  for (const Durability durability : {Durability::kNone, Durability::kShard, Durability::kFile}) {
    if (text == to_string(durability)) {
      return durability;
    }
  }
  if (text == "block") {  // what 0.1.0 called it
    return Durability::kShard;
  }
  throw setting_error("durability", " ", text, ": ", use_one_of(text, {"none", "shard", "file"}));
}

const char* to_string(Durability durability) {
  switch (durability) {
    case Durability::kNone:
      return "none";
    case Durability::kShard:
      return "shard";
    case Durability::kFile:
      return "file";
  }
  return "";
}

std::string padded_number(int64_t number) {
  constexpr size_t kMinDigits = 5;
  const std::string digits = std::to_string(number);
  return std::string(kMinDigits - std::min(kMinDigits, digits.size()), '0') + digits;
}

std::string image_name(int64_t id) {
  return padded_number(id) + ".png";
}

std::optional<int64_t> image_id(const std::string& name) {
  int64_t id = 0;
  const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (status != std::errc() || id < 0 || name != image_name(id)) {
    return std::nullopt;
  }
  return id;
}

bool is_archive_name(const std::string& name) {
  return name.starts_with(kArchiveBegin) && name.ends_with(kArchiveEnd);
}

ImageFiles::ImageFiles(fs::path folder, bool few_files, Durability durability, int64_t rank)
    : folder_(std::move(folder)),
      unfinished_(folder_ / "info" / "unfinished"),
      few_files_(few_files),
      durability_(durability),
      rank_(rank) {
  // Left by an earlier process of this rank that ended within a shard.
  const std::string own = concat(rank_, ".");
  for (const auto& entry : fs::directory_iterator(unfinished_)) {
    if (entry.path().filename().string().starts_with(own)) {
      std::error_code ignored;
      fs::remove(entry.path(), ignored);
    }
  }
}

std::vector<ImageRecord> ImageFiles::store(int64_t shard, const std::vector<EncodedImage>& images,
                                           const ShardRecord* previous) const {
  std::vector<ImageRecord> records;
  std::vector<std::pair<fs::path, fs::path>> files;  // temporary, final
  TarWriter tar;
  const auto untouched = [&](const ImageRecord& record) {
    return previous != nullptr && !few_files_ && image_damage(record, /*deep=*/true).empty();
  };
  try {
    for (const EncodedImage& image : images) {
      const std::string name = image_name(image.id);
      const ImageRecord record{image.id, static_cast<int64_t>(image.png.size()), sha256(image.png)};
      if (few_files_) {
        tar.add(name, image.png);
      } else if (!untouched(record)) {
        files.emplace_back(write_unfinished(name, image.png), folder_ / name);
      }
      records.push_back(record);
    }
    if (few_files_ && !images.empty()) {
      const fs::path path = archive(shard);
      files.emplace_back(write_unfinished(path.filename(), tar.finish()), path);
    }
    place(files);
  } catch (...) {
    for (const auto& [temporary, final] : files) {
      ::unlink(temporary.c_str());
    }
    throw;
  }
  return records;
}

void ImageFiles::place(const std::vector<std::pair<fs::path, fs::path>>& files) const {
  if (durability_ == Durability::kShard && !files.empty()) {
    sync_with(&::syncfs, unfinished_);
  }
  for (const auto& [temporary, final] : files) {
    rename_file(temporary, final);
  }
  if (durability_ != Durability::kNone && !files.empty()) {
    sync_with(&::fsync, folder_);
  }
}

fs::path ImageFiles::write_unfinished(const fs::path& name,
                                      std::span<const std::byte> bytes) const {
  fs::path path = unfinished_ / concat(rank_, ".", name.string(), ".part");
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.number() < 0) {
    throw output_error(path.string(), ": cannot create: ", std::strerror(errno));
  }
  try {
    write_all(file.number(), bytes, path);
    if (durability_ == Durability::kFile) {
      check_synced(::fsync(file.number()), path);
    }
    check_synced(file.close(), path);
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
  return path;
}

fs::path ImageFiles::archive(int64_t shard) const {
  return folder_ / archive_name(shard);
}

std::string ImageFiles::damage(const ShardRecord& record, bool deep) const {
  if (few_files_) {
    return record.images.empty() ? "" : archive_damage(record, deep);
  }
  for (const ImageRecord& image : record.images) {
    if (const std::string damage = image_damage(image, deep); !damage.empty()) {
      return concat(image_name(image.id), " ", damage);
    }
  }
  return {};
}

std::string ImageFiles::image_damage(const ImageRecord& image, bool deep) const {
  const fs::path path = folder_ / image_name(image.id);
  if (deep) {
    try {
      return png_damage(MappedFile(path).bytes(), image, deep);
    } catch (const Error&) {
      return "cannot be read";
    }
  }
  // Quick means two small reads: a mapping would fault in everything between.
  const Descriptor file = open_file(path, O_RDONLY);
  if (file.number() < 0) {
    return "is missing";
  }
  const off_t size = ::lseek(file.number(), 0, SEEK_END);
  if (size != image.bytes) {
    return concat("has ", size, " bytes instead of ", image.bytes);
  }
  std::byte head[kPngMargin];
  std::byte tail[kPngMargin];
  const auto margin = static_cast<ssize_t>(kPngMargin);
  const bool whole = ::pread(file.number(), head, kPngMargin, 0) == margin &&
                     ::pread(file.number(), tail, kPngMargin, size - margin) == margin &&
                     looks_like_png(head, tail);
  return whole ? "" : "is not a complete PNG";
}

std::string ImageFiles::archive_damage(const ShardRecord& record, bool deep) const {
  const fs::path path = archive(record.shard);
  try {
    const MappedFile file(path);
    const std::vector<TarEntry> entries = read_tar(file.bytes(), path.string());
    if (entries.size() != record.images.size()) {
      return concat(path.filename().string(), " has ", entries.size(), " images instead of ",
                    record.images.size());
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      const ImageRecord& image = record.images[i];
      const std::string damage = entries[i].name != image_name(image.id)
                                     ? "is missing"
                                     : png_damage(entries[i].content, image, deep);
      if (!damage.empty()) {
        return concat(path.filename().string(), ": ", image_name(image.id), " ", damage);
      }
    }
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<std::byte> read_image(const fs::path& folder, bool few_files, int64_t shard,
                                  int64_t id) {
  const MappedFile file(folder / (few_files ? archive_name(shard) : image_name(id)));
  if (!few_files) {
    return {file.bytes().begin(), file.bytes().end()};
  }
  for (const TarEntry& entry : read_tar(file.bytes(), file.path().string())) {
    if (entry.name == image_name(id)) {
      return {entry.content.begin(), entry.content.end()};
    }
  }
  throw usage_error(file.path().string(), ": ", image_name(id), " is missing");
}

}  // namespace lazymar
