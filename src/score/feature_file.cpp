#include "score/feature_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "files/sha256.h"
#include "formats/safetensors.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHashBytes = 32;
constexpr const char* kHexDigits = "0123456789abcdef";

using Bytes = std::vector<std::byte>;

void append_hash(Bytes& bytes, const std::string& hex) {
  if (hex.size() != 2 * kHashBytes) {
    throw Error(ErrorKind::kInternal,
                "feature file: invalid hash length " + std::to_string(hex.size()));
  }
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
}

std::string hex_of(std::span<const std::byte> bytes) {
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += kHexDigits[std::to_integer<int>(byte) / 16];
    hex += kHexDigits[std::to_integer<int>(byte) % 16];
  }
  return hex;
}

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

/// The tensors of a file, and the hash of their bytes.
struct Layout {
  WeightContent content;
  Bytes file_hashes, pixel_hashes;
  std::vector<int32_t> constant;
  at::Tensor pool, logits;
};

std::string content_hash(const std::map<std::string, TensorView>& tensors) {
  Sha256 hash;
  for (const auto& [name, view] : tensors) {
    hash.update(view.bytes);
  }
  return hash.digest();
}

const TensorView& tensor(const WeightFile& file, const char* name, ElementType type,
                         size_t dimensions, int64_t rows) {
  const TensorView* view = file.find(name);
  if (view == nullptr || view->type != type || view->shape.size() != dimensions ||
      view->shape[0] != rows) {
    throw usage_error(file.path().string(), ": not a lazymar feature file: tensor ", name,
                      " is missing or has the wrong type or shape");
  }
  return *view;
}

const std::string& text(const WeightFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) {
    throw usage_error(file.path().string(), ": not a lazymar feature file: the metadata has no ",
                      key);
  }
  return found->second;
}

std::vector<std::string> names_in(const WeightFile& file) {
  try {
    return nlohmann::json::parse(text(file, "names")).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw usage_error(file.path().string(),
                      ": not a lazymar feature file: metadata \"names\" must be a list of strings");
  }
}

}  // namespace

void write_drift_file(const fs::path& path, const FeatureRows& rows, const ExtractorId& extractor) {
  Layout layout;
  nlohmann::json names = nlohmann::json::array();
  for (const ImageFacts& image : rows.images) {
    names.push_back(image.name);
    append_hash(layout.file_hashes, image.file_sha256);
    append_hash(layout.pixel_hashes, image.pixel_sha256);
    layout.constant.push_back(image.constant ? 1 : 0);
  }
  layout.pool = rows.pool.contiguous();
  layout.logits = rows.logits.contiguous();
  const auto count = static_cast<int64_t>(rows.images.size());
  const auto hash_size = static_cast<int64_t>(kHashBytes);
  layout.content.tensors = {
      {"file_sha256", {ElementType::kU8, {count, hash_size}, layout.file_hashes}},
      {"pixel_sha256", {ElementType::kU8, {count, hash_size}, layout.pixel_hashes}},
      {"constant", {ElementType::kI32, {count}, std::as_bytes(std::span(layout.constant))}},
      {"pool", {ElementType::kF32, {count, layout.pool.size(1)}, bytes_of(layout.pool)}},
      {"logits", {ElementType::kF32, {count, layout.logits.size(1)}, bytes_of(layout.logits)}}};
  layout.content.metadata = {
      {"names", names.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)},
      {"extractor", extractor.name},
      {"weights_sha256", extractor.weights_sha256},
      {"content_sha256", content_hash(layout.content.tensors)}};
  write_safetensors(path, layout.content);
}

FeatureFile read_feature_file(const fs::path& path) {
  FeatureFile file;
  file.mapping = std::make_shared<const WeightFile>(path);
  const WeightFile& mapping = *file.mapping;
  file.extractor = {text(mapping, "extractor"), text(mapping, "weights_sha256")};
  const std::vector<std::string> names = names_in(mapping);
  const auto rows = static_cast<int64_t>(names.size());
  const TensorView& files = tensor(mapping, "file_sha256", ElementType::kU8, 2, rows);
  const TensorView& pixels = tensor(mapping, "pixel_sha256", ElementType::kU8, 2, rows);
  const TensorView& constant = tensor(mapping, "constant", ElementType::kI32, 1, rows);
  const auto hash_size = static_cast<int64_t>(kHashBytes);
  if (files.shape[1] != hash_size || pixels.shape[1] != hash_size) {
    throw usage_error(path.string(), ": not a lazymar feature file: its hashes are not SHA-256");
  }
  if (content_hash(mapping.tensors()) != text(mapping, "content_sha256")) {
    throw usage_error(path.string(), ": damaged: the content does not match its hash");
  }
  file.rows.pool =
      tensor_from_view(tensor(mapping, "pool", ElementType::kF32, 2, rows), mapping, "pool");
  file.rows.logits =
      tensor_from_view(tensor(mapping, "logits", ElementType::kF32, 2, rows), mapping, "logits");
  for (size_t i = 0; i < names.size(); ++i) {
    file.rows.images.push_back({names[i], hex_of(files.bytes.subspan(i * kHashBytes, kHashBytes)),
                                hex_of(pixels.bytes.subspan(i * kHashBytes, kHashBytes)),
                                constant.bytes[i * sizeof(int32_t)] != std::byte{0}});
  }
  return file;
}

void FeatureStore::add(const fs::path& path) {
  std::unique_ptr<const FeatureFile> file;
  try {
    file = std::make_unique<const FeatureFile>(read_feature_file(path));
  } catch (const Error& error) {
    log_warning(concat("ignoring saved features: ", error.what()));
    return;
  }
  if (file->extractor.name != extractor_.name) {
    return;
  }
  if (file->extractor != extractor_) {
    log_warning(concat("ignoring saved features: ", path.string(), " comes from other weights of ",
                       extractor_.name));
    return;
  }
  if (file->rows.pool.size(1) != feature_dim_ || file->rows.logits.size(1) != class_count_) {
    log_warning(concat("ignoring saved features: ", path.string(), " has ", file->rows.pool.size(1),
                       " features and ", file->rows.logits.size(1), " logits per image"));
    return;
  }
  for (size_t row = 0; row < file->rows.images.size(); ++row) {
    rows_[file->rows.images[row].file_sha256] = {file.get(), row};
  }
  files_.push_back(std::move(file));
}

void FeatureStore::add_folder(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".safetensors") {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    add(path);
  }
}

std::optional<KnownFeatures> FeatureStore::find(const std::string& file_sha256) const {
  const auto found = rows_.find(file_sha256);
  if (found == rows_.end()) {
    return std::nullopt;
  }
  const auto& [file, row] = found->second;
  const FeatureRows& rows = file->rows;
  const auto at_row = [row = row](const at::Tensor& values) {
    return values.const_data_ptr<float>() + static_cast<int64_t>(row) * values.size(1);
  };
  return KnownFeatures{&rows.images[row], at_row(rows.pool), at_row(rows.logits)};
}

fs::path run_feature_file(const fs::path& run, const std::string& extractor) {
  return run / "info" / "features" / (extractor + ".safetensors");
}

fs::path shard_feature_file(const fs::path& run, const std::string& extractor, int64_t shard) {
  return run / "info" / "features" / concat(extractor, ".block-", shard, ".safetensors");
}

}  // namespace lazymar
