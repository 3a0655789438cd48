#include "run/drift.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "files/missing_path.h"
#include "run/checked_files.h"
#include "run/image_files.h"
#include "run/run_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kHeader = "lazymar_features";
constexpr const char* kPrefix = "features";
constexpr const char* kFeatures[] = {"output", "values", "difference"};
constexpr int64_t kMostSteps = 1 << 16;
constexpr int64_t kMostRows = int64_t{1} << 20;

std::string header_text(const DriftHeader& header) {
  return ordered_json{{"settings", header.settings}, {"image", header.image},
                      {"label", header.label},       {"masked", header.masked},
                      {"rows", header.rows},         {"value_layer", header.value_layer}}
      .dump();
}

/// A plan's numbers: at least one step, decreasing from L to 0.
bool is_plan(const std::vector<int64_t>& masked, int64_t rows) {
  return masked.size() >= 2 && masked.size() <= kMostSteps + 1 && masked.front() >= 1 &&
         masked.front() <= rows && rows <= kMostRows && masked.back() == 0 &&
         std::is_sorted(masked.rbegin(), masked.rend());
}

DriftHeader parse_header(const fs::path& path, const std::string& text) {
  const ordered_json json = parse_run_object(text).value_or(ordered_json());
  DriftHeader header;
  try {
    header.settings = json.at("settings");
    header.image = json.at("image").get<int64_t>();
    header.label = json.at("label").get<int64_t>();
    header.masked = json.at("masked").get<std::vector<int64_t>>();
    header.rows = json.at("rows").get<int64_t>();
    header.value_layer = json.at("value_layer").get<int64_t>();
  } catch (const ordered_json::exception&) {
    throw usage_error(path.string(), ": damaged: the header does not say what was recorded");
  }
  if (!header.settings.is_object() || header.image < 0 || !is_plan(header.masked, header.rows)) {
    throw usage_error(path.string(), ": damaged: the header does not describe a decoding plan");
  }
  return header;
}

float number_at(const std::byte* bytes) {
  uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof half);
  return std::bit_cast<float>(uint32_t{half} << 16);
}

void check_table(const fs::path& path, const std::string& name, const TensorView& view,
                 const DriftHeader& header) {
  if (view.type != ElementType::kBF16 ||
      view.shape != std::vector<int64_t>{header.pairs(), header.rows}) {
    throw usage_error(path.string(), ": damaged: ", name, " is ", to_string(view.type), " ",
                      shape_string(view.shape), ", not BF16 [", header.pairs(), ", ", header.rows,
                      "]");
  }
  for (size_t place = 0; place < view.bytes.size(); place += sizeof(uint16_t)) {
    const float value = number_at(view.bytes.data() + place);
    if (!std::isfinite(value) || value < 0) {
      throw usage_error(path.string(), ": damaged: ", name, " holds ", value,
                        ", which is not a valid change");
    }
  }
}

void refuse_strangers(const fs::path& folder, const DriftHeader& first, const DriftHeader& other) {
  const auto described = [](const DriftHeader& header) {
    ordered_json settings = header.settings;
    settings["value_layer"] = header.value_layer;
    settings["rows"] = header.rows;
    settings["plan"] = ordered_json(header.masked).dump();  // one value, not one per number
    return settings;
  };
  refuse_differences(folder, {first.image, other.image},
                     differences(described(first), described(other)));
}

}  // namespace

float ChangeTable::at(int64_t from, int64_t to, int64_t row) const {
  const int64_t pair = to * (to - 1) / 2 + from;
  return number_at(bytes_.data() + (pair * rows_ + row) * static_cast<int64_t>(sizeof(uint16_t)));
}

void refuse_differences(const fs::path& folder, std::pair<int64_t, int64_t> images,
                        const std::string& difference) {
  if (!difference.empty()) {
    throw usage_error(folder.string(), ": contains recordings of different runs: image ",
                      images.first, " and image ", images.second, ": ", difference,
                      "; record each run in its own folder");
  }
}

std::string recording_name(const std::string& prefix, int64_t image) {
  return concat(prefix, ".", padded_number(image), ".safetensors");
}

std::string drift_file_name(int64_t image) {
  return recording_name(kPrefix, image);
}

void write_drift(const fs::path& folder, const DriftHeader& header,
                 const std::map<std::string, TensorSource>& changes) {
  write_safetensors(folder / drift_file_name(header.image), changes,
                    {{kHeader, header_text(header)}});
}

std::vector<fs::path> recording_files(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix + ".") && name.ends_with(".safetensors")) {
      files.push_back(entry->path());
    }
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    throw usage_error(folder.string(), ": cannot be read: ", failed.message());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> feature_files(const fs::path& folder) {
  return recording_files(folder, kPrefix);
}

ImageDrift read_image_drift(const fs::path& path) {
  ImageDrift image;
  image.mapping = std::make_shared<const MappedFile>(path);
  const WeightContent content = parse_safetensors(image.mapping->bytes(), path.string());
  const auto header = content.metadata.find(kHeader);
  if (header == content.metadata.end()) {
    throw usage_error(path.string(), ": holds no recorded features (lazymar_eval",
                      " --record_drift writes them)");
  }
  image.header = parse_header(path, header->second);
  for (const char* name : kFeatures) {
    const auto table = content.tensors.find(name);
    if (table == content.tensors.end()) {
      if (name == std::string("difference")) {
        continue;
      }
      throw usage_error(path.string(), ": damaged: missing ", name);
    }
    check_table(path, name, table->second, image.header);
    image.changes.emplace(name, ChangeTable(table->second.bytes, image.header.rows));
  }
  return image;
}

std::vector<ImageDrift> read_drift(const fs::path& folder) {
  std::vector<ImageDrift> images;
  for (const fs::path& path : feature_files(folder)) {
    images.push_back(read_image_drift(path));
    refuse_strangers(folder, images.front().header, images.back().header);
    if (images.front().changes.size() != images.back().changes.size()) {
      throw usage_error(path.string(), ": damaged: its tensors differ from those of ",
                        drift_file_name(images.front().header.image));
    }
  }
  if (images.empty()) {
    throw usage_error(folder.string(), ": holds no recorded features; lazymar_eval",
                      " --record_drift ", folder.string(), " writes them", meant_from_here(folder));
  }
  return images;
}

}  // namespace lazymar
