#include "weights/weight_file.h"

#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "files/byte_reader.h"
#include "files/read_ahead.h"
#include "formats/foreign_file.h"
#include "formats/safetensors.h"
#include "weights/network_names.h"

namespace lazymar {
namespace {

bool is_tar(std::span<const std::byte> bytes) {
  constexpr size_t kMagicAt = 257;
  constexpr std::string_view kMagic = "ustar";
  return bytes.size() > kMagicAt + kMagic.size() &&
         as_text(bytes).substr(kMagicAt).starts_with(kMagic);
}

/// A safetensors header is a JSON object after an 8-byte length.
bool looks_like_safetensors(std::span<const std::byte> bytes) {
  constexpr size_t kLengthBytes = 8;
  return bytes.size() > kLengthBytes && bytes[kLengthBytes] == std::byte{'{'};
}

}  // namespace

WeightFile::WeightFile(const std::filesystem::path& path, const WeightFileOptions& options)
    : path_(path) {
  const auto file = std::make_shared<const MappedFile>(path);
  owner_ = file;
  bytes_ = file->bytes();
  const auto bytes = bytes_;
  if (is_tar(bytes)) {
    throw usage_error(path.string(),
                      ": byte 0: a tar archive, torch.save's format before 2017; load and save it "
                      "with a newer PyTorch");
  }
  if (const std::string other = foreign_file(bytes); !other.empty()) {
    throw usage_error(path.string(), ": byte 0: ", other);
  }
  if (looks_like_torch(bytes)) {
    format_ = looks_like_zip(bytes) ? "torch.save's zip format" : "torch.save's stream format";
    content_ = parse_torch_checkpoint(bytes, path.string(), options.weights, options.check_crc);
  } else if (!looks_like_safetensors(bytes)) {
    throw usage_error(
        path.string(), ": byte 0: ", bytes.empty() ? "empty: " : "",
        "not a checkpoint: neither safetensors nor written by torch.save (.pth, .ckpt)");
  } else {
    format_ = "safetensors";
    content_ = parse_safetensors(bytes, path.string());
  }
  name_tensors(options);
  // What counts as checked is never read again.
  checked_.assign(content_.records.size(), !options.check_crc);
}

WeightFile::WeightFile(const std::string& name, WeightContent content,
                       std::shared_ptr<const void> owner, const WeightFileOptions& options)
    : path_(name), owner_(std::move(owner)), content_(std::move(content)), format_("in memory") {
  name_tensors(options);
}

void WeightFile::name_tensors(const WeightFileOptions& options) {
  if (const std::string said =
          find_network(content_, options.networks, options.weights, path_.string());
      !said.empty()) {
    log_info(concat(path_.string(), ": ", said));
  }
}

std::string WeightFile::description() const {
  const bool ema = says_ema(section());
  const std::string which = section().empty() ? "" : concat(" (\"", section(), "\")");
  return concat(format_, ema ? ", EMA weights" : "", which);
}

const TensorView* WeightFile::find(const std::string& name) const {
  if (const auto reason = content_.unreadable.find(name); reason != content_.unreadable.end()) {
    throw usage_error(reason->second, " (tensor \"", name, "\")");
  }
  const auto found = content_.tensors.find(name);
  if (found == content_.tensors.end()) {
    if (const std::string mixed = mixed_names(content_, name); !mixed.empty()) {
      throw usage_error(path().string(), ": ", mixed);
    }
    return nullptr;
  }
  if (!bytes_.empty()) {
    read_ahead(found->second.bytes);
  }
  const auto record = found->second.record;
  if (record && !checked_[*record]) {
    check_crc(content_.records[*record], path().string(), kCrcAdvice);
    checked_[*record] = true;
  }
  return &found->second;
}

}  // namespace lazymar
