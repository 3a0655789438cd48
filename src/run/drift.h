#pragma once
/// Recorded drift as files: written by lazymar_eval --record_drift, read by lazymar_compare. One
/// safetensors file per image, so that nothing is lost if a run is stopped, continued, or shared by
/// several processes.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "files/mapped_file.h"
#include "formats/safetensors.h"

namespace lazymar {

/// A file's metadata.
struct DriftHeader {
  nlohmann::ordered_json settings;  ///< of the run, from its manifest
  int64_t image = 0, label = 0;
  std::vector<int64_t> masked;  ///< rows masked before decoding step s, and 0 after the last: S + 1
  int64_t rows = 0;             ///< N: tokens in decoding order, then the buffer
  int64_t value_layer = 0;      ///< the decoder layer whose values V were recorded

  int64_t steps() const { return static_cast<int64_t>(masked.size()) - 1; }
  int64_t pairs() const { return steps() * (steps() - 1) / 2; }
  int64_t length() const { return masked.front(); }  ///< L
};

/// Relative changes of one feature, [S (S - 1) / 2, N] in bf16, as defined at FeatureDrift.
class ChangeTable {
 public:
  ChangeTable(std::span<const std::byte> bytes, int64_t rows) : bytes_(bytes), rows_(rows) {}

  /// Of row `row` from decoding step `from` to `to`; 0 <= from < to < S.
  float at(int64_t from, int64_t to, int64_t row) const;

 private:
  std::span<const std::byte> bytes_;
  int64_t rows_;
};

struct ImageDrift {
  DriftHeader header;
  std::map<std::string, ChangeTable>
      changes;  ///< "output", "values", and with guidance "difference"
  std::shared_ptr<const MappedFile> mapping;  ///< what the tables point into
};

/// Throws Error (usage) that names two images of a folder and how their recordings differ, if they
/// do.
void refuse_differences(const std::filesystem::path& folder, std::pair<int64_t, int64_t> images,
                        const std::string& difference);

/// "PREFIX.00003.safetensors", and such files in a folder, sorted.
std::string recording_name(const std::string& prefix, int64_t image);
std::vector<std::filesystem::path> recording_files(const std::filesystem::path& folder,
                                                   const std::string& prefix);

/// "features.00003.safetensors".
std::string drift_file_name(int64_t image);

/// Writes an image's file, atomically. `changes`: those of ImageDrift, as bf16. Throws Error
/// (output).
void write_drift(const std::filesystem::path& folder, const DriftHeader& header,
                 const std::map<std::string, TensorSource>& changes);

/// Files of recorded features in a folder, sorted.
std::vector<std::filesystem::path> feature_files(const std::filesystem::path& folder);

/// Throws Error (usage) for other files, and for impossible numbers.
ImageDrift read_image_drift(const std::filesystem::path& path);

/// Every image of a folder. Throws Error (usage) if there is none, for damaged files, and if they
/// belong to different runs.
std::vector<ImageDrift> read_drift(const std::filesystem::path& folder);

}  // namespace lazymar
