#pragma once
/// Recorded features of the diffusion head as files: written by lazymar_eval --record_head, read by
/// lazymar_compare --replay. One safetensors file per image, beside those of run/drift.h.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "files/mapped_file.h"
#include "formats/safetensors.h"

namespace lazymar {

/// A file's metadata. The tokens are in the order in which they are decoded.
struct HeadRecordingHeader {
  nlohmann::ordered_json settings;  ///< of the run, from its manifest
  int64_t image = 0, label = 0;
  std::vector<int64_t> rows;            ///< the tokens, as rows in decoding order
  std::vector<int64_t> decoding_steps;  ///< in which the head samples each
  /// Of the 1000, by token and evaluation, falling: each token's T diffusion steps.
  std::vector<std::vector<int64_t>> timesteps;

  int64_t evaluations() const;  ///< E, of all tokens
};

/// Numbers in BF16 or F32, of shape [E, ...].
class RecordedValues {
 public:
  RecordedValues() = default;
  explicit RecordedValues(const TensorView& view) : view_(view) {}

  const std::vector<int64_t>& shape() const { return view_.shape; }
  /// Values `first` to `first + count` of evaluation `evaluation`.
  void read(int64_t evaluation, int64_t first, std::span<float> values) const;

 private:
  TensorView view_;
};

struct ImageHeadRecording {
  HeadRecordingHeader header;
  RecordedValues x, eps, v;                   ///< [E, C]: see HeadFeatures (mar/head_recorder.h)
  RecordedValues mlp;                         ///< [E, blocks, W]
  std::shared_ptr<const MappedFile> mapping;  ///< what the values point into
};

/// "head.00003.safetensors".
std::string head_recording_name(int64_t image);

/// Writes an image's file, atomically. `tensors`: "x", "eps", "v" and "mlp". Throws Error (output).
void write_head_recording(const std::filesystem::path& folder, const HeadRecordingHeader& header,
                          const std::map<std::string, TensorSource>& tensors);

/// Throws Error (usage) for other files, and for numbers that are not finite.
ImageHeadRecording read_head_recording(const std::filesystem::path& path);

/// Such files in a folder, sorted.
std::vector<std::filesystem::path> head_recording_files(const std::filesystem::path& folder);

/// Every image of a folder. Throws Error (usage) if there is none, for damaged files, and if they
/// belong to different runs.
std::vector<ImageHeadRecording> read_head_recordings(const std::filesystem::path& folder);

}  // namespace lazymar
