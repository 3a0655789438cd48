#pragma once
/// The images of a run folder: writing, reading and checking them.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "run/journal.h"

namespace lazymar {

/// What survives a power failure.
enum class Durability {
  kNone,   ///< nothing is synced: only a crash of the machine may lose files
  kShard,  ///< one syncfs per shard
  kFile,   ///< fsync of every file, for file systems whose syncfs does nothing
};
Durability parse_durability(const std::string& text);
const char* to_string(Durability durability);

/// One PNG, ready to be written.
struct EncodedImage {
  int64_t id = 0;
  std::vector<std::byte> png;
};

/// A number in a file's name: "00042".
std::string padded_number(int64_t number);
/// "00042.png".
std::string image_name(int64_t id);
/// The id of such a name; empty for any other.
std::optional<int64_t> image_id(const std::string& name);
/// Whether it is that of a shard's images in one file: "block-00042.tar".
bool is_archive_name(const std::string& name);

/// A PNG from a run folder, for read-only use: a file, or with `few_files` a member of its shard's
/// tar. Throws Error (usage) if it cannot be read.
std::vector<std::byte> read_image(const std::filesystem::path& folder, bool few_files,
                                  int64_t shard, int64_t id);

/// Stores PNGs in the run folder: one file each, or with `few_files` one tar per shard.
class ImageFiles {
 public:
  ImageFiles(std::filesystem::path folder, bool few_files, Durability durability, int64_t rank);

  /// Writes the images of a shard under temporary names in info/unfinished/, makes them durable,
  /// and renames them. With `previous`, images that are equal to it and undamaged stay untouched.
  /// Throws Error (output); then only files that were already renamed are left.
  std::vector<ImageRecord> store(int64_t shard, const std::vector<EncodedImage>& images,
                                 const ShardRecord* previous) const;

  /// What is wrong with the files of a finished shard; empty if nothing is. Quick: each file
  /// exists, has the recorded size, and starts and ends like a PNG. Deep: every hash matches and
  /// every PNG decodes.
  std::string damage(const ShardRecord& record, bool deep) const;

 private:
  std::filesystem::path archive(int64_t shard) const;
  std::string image_damage(const ImageRecord& image, bool deep) const;
  std::string archive_damage(const ShardRecord& record, bool deep) const;
  void place(
      const std::vector<std::pair<std::filesystem::path, std::filesystem::path>>& files) const;
  std::filesystem::path write_unfinished(const std::filesystem::path& name,
                                         std::span<const std::byte> bytes) const;

  std::filesystem::path folder_;
  std::filesystem::path unfinished_;
  bool few_files_;
  Durability durability_;
  int64_t rank_;
};

}  // namespace lazymar
