#include "run/head_recording.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "files/missing_path.h"
#include "run/checked_files.h"
#include "run/drift.h"
#include "run/run_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kHeader = "lazymar_head";
constexpr const char* kPrefix = "head";
constexpr int64_t kMostNumber = int64_t{1} << 20;

bool in_range(const std::vector<int64_t>& numbers) {
  return std::all_of(numbers.begin(), numbers.end(),
                     [](int64_t number) { return number >= 0 && number < kMostNumber; });
}

bool is_possible(const HeadRecordingHeader& header) {
  const auto falls = [](const std::vector<int64_t>& steps) {
    return !steps.empty() && in_range(steps) && std::is_sorted(steps.rbegin(), steps.rend());
  };
  return header.settings.is_object() && header.image >= 0 && !header.rows.empty() &&
         header.rows.size() == header.decoding_steps.size() &&
         header.rows.size() == header.timesteps.size() && in_range(header.rows) &&
         in_range(header.decoding_steps) &&
         std::all_of(header.timesteps.begin(), header.timesteps.end(), falls);
}

HeadRecordingHeader parse_header(const fs::path& path, const std::string& text) {
  const ordered_json json = parse_run_object(text).value_or(ordered_json());
  HeadRecordingHeader header;
  try {
    header.settings = json.at("settings");
    header.image = json.at("image").get<int64_t>();
    header.label = json.at("label").get<int64_t>();
    header.rows = json.at("rows").get<std::vector<int64_t>>();
    header.decoding_steps = json.at("decoding_steps").get<std::vector<int64_t>>();
    header.timesteps = json.at("timesteps").get<std::vector<std::vector<int64_t>>>();
  } catch (const ordered_json::exception&) {
    throw usage_error(path.string(), ": damaged: the header does not say what was recorded");
  }
  if (!is_possible(header)) {
    throw usage_error(path.string(), ": damaged: the header does not describe recorded tokens");
  }
  return header;
}

/// Values of a part of a tensor, as fp32.
void read_values(const TensorView& view, int64_t first, std::span<float> values) {
  const std::byte* from = view.bytes.data() + first * element_size(view.type);
  if (view.type == ElementType::kF32) {
    std::memcpy(values.data(), from, values.size_bytes());
    return;
  }
  for (float& value : values) {
    uint16_t half = 0;
    std::memcpy(&half, from, sizeof half);
    value = std::bit_cast<float>(uint32_t{half} << 16);
    from += sizeof half;
  }
}

void check_finite(const fs::path& path, const std::string& name, const TensorView& view) {
  constexpr int64_t kChunk = 4096;
  const int64_t count = static_cast<int64_t>(view.bytes.size()) / element_size(view.type);
  std::vector<float> values;
  for (int64_t first = 0; first < count; first += kChunk) {
    values.resize(static_cast<size_t>(std::min(kChunk, count - first)));
    read_values(view, first, values);
    for (const float value : values) {
      if (!std::isfinite(value)) {
        throw usage_error(path.string(), ": damaged: ", name, " holds ", value);
      }
    }
  }
}

RecordedValues read_tensor(const fs::path& path, const WeightContent& content,
                           const std::string& name, size_t dimensions, int64_t evaluations) {
  const auto found = content.tensors.find(name);
  if (found == content.tensors.end()) {
    throw usage_error(path.string(), ": damaged: missing ", name);
  }
  const TensorView& view = found->second;
  const bool number = view.type == ElementType::kF32 || view.type == ElementType::kBF16;
  if (!number || view.shape.size() != dimensions || view.shape.front() != evaluations ||
      view.bytes.empty()) {
    throw usage_error(path.string(), ": damaged: ", name, " is ", to_string(view.type), " ",
                      shape_string(view.shape), ", not F32 or BF16 with ", evaluations,
                      " evaluations in ", dimensions, " dimensions");
  }
  check_finite(path, name, view);
  return RecordedValues(view);
}

void refuse_strangers(const fs::path& folder, const ImageHeadRecording& first,
                      const ImageHeadRecording& other) {
  const auto described = [](const ImageHeadRecording& image) {
    ordered_json settings = image.header.settings;
    // One value each, not one per number.
    settings["tokens"] = ordered_json(image.header.rows).dump();
    settings["timesteps"] = ordered_json(image.header.timesteps).dump();
    settings["head"] = shape_string(image.mlp.shape());
    return settings;
  };
  refuse_differences(folder, {first.header.image, other.header.image},
                     differences(described(first), described(other)));
}

}  // namespace

int64_t HeadRecordingHeader::evaluations() const {
  int64_t sum = 0;
  for (const std::vector<int64_t>& steps : timesteps) {
    sum += static_cast<int64_t>(steps.size());
  }
  return sum;
}

void RecordedValues::read(int64_t evaluation, int64_t first, std::span<float> values) const {
  int64_t each = 1;
  for (size_t i = 1; i < view_.shape.size(); ++i) {
    each *= view_.shape[i];
  }
  read_values(view_, evaluation * each + first, values);
}

std::string head_recording_name(int64_t image) {
  return recording_name(kPrefix, image);
}

std::vector<fs::path> head_recording_files(const fs::path& folder) {
  return recording_files(folder, kPrefix);
}

void write_head_recording(const fs::path& folder, const HeadRecordingHeader& header,
                          const std::map<std::string, TensorSource>& tensors) {
  const ordered_json json{{"settings", header.settings},
                          {"image", header.image},
                          {"label", header.label},
                          {"rows", header.rows},
                          {"decoding_steps", header.decoding_steps},
                          {"timesteps", header.timesteps}};
  write_safetensors(folder / head_recording_name(header.image), tensors, {{kHeader, json.dump()}});
}

ImageHeadRecording read_head_recording(const fs::path& path) {
  ImageHeadRecording image;
  image.mapping = std::make_shared<const MappedFile>(path);
  const WeightContent content = parse_safetensors(image.mapping->bytes(), path.string());
  const auto header = content.metadata.find(kHeader);
  if (header == content.metadata.end()) {
    throw usage_error(path.string(), ": holds no features of the head (lazymar_eval",
                      " --record_drift DIR --record_head N writes them)");
  }
  image.header = parse_header(path, header->second);
  const int64_t evaluations = image.header.evaluations();
  image.x = read_tensor(path, content, "x", 2, evaluations);
  image.eps = read_tensor(path, content, "eps", 2, evaluations);
  image.v = read_tensor(path, content, "v", 2, evaluations);
  image.mlp = read_tensor(path, content, "mlp", 3, evaluations);
  return image;
}

std::vector<ImageHeadRecording> read_head_recordings(const fs::path& folder) {
  std::vector<ImageHeadRecording> images;
  for (const fs::path& path : head_recording_files(folder)) {
    images.push_back(read_head_recording(path));
    refuse_strangers(folder, images.front(), images.back());
  }
  if (images.empty()) {
    throw usage_error(folder.string(), ": holds no features of the head; lazymar_eval",
                      " --record_drift ", folder.string(), " --record_head 16 writes them",
                      meant_from_here(folder));
  }
  return images;
}

}  // namespace lazymar
