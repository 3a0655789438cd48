#pragma once
/// A network's configuration, as read from a weight file.

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/network_config.h"
#include "weights/weight_file.h"

namespace lazymar {

/// Prefixes of tensors that an autoencoder needs only for training and encoding.
inline constexpr std::array kUnusedVaeTensors{"encoder.", "quant_conv.", "loss."};

/// Shapes and metadata of one checkpoint, every access checked.
class CheckpointReader {
 public:
  explicit CheckpointReader(const WeightFile& file) : file_(file) {
    const auto found = file.metadata().find("config");
    if (found == file.metadata().end()) {
      return;
    }
    metadata_ = nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
    if (!metadata_.is_object()) {
      throw usage_error(file.path().string(), ": metadata \"config\" is not a JSON object");
    }
  }

  bool has(const std::string& name) const { return file_.tensors().contains(name); }

  /// Size of dimension `index` of a tensor that must have `rank` dimensions.
  int64_t size(const std::string& name, size_t rank, size_t index) const {
    const auto found = file_.tensors().find(name);
    if (found == file_.tensors().end()) {
      file_.find(name);  // throws the reason if it exists and is unreadable
      throw usage_error(file_.path().string(), ": no tensor \"", name, "\": is this the right ",
                        file_.bytes().empty() ? "network?" : "file?");
    }
    const auto& shape = found->second.shape;
    if (shape.size() != rank || *std::min_element(shape.begin(), shape.end()) < 1) {
      throw usage_error(file_.path().string(), ": tensor \"", name, "\" has the shape ",
                        shape_string(shape), ", expected ", rank, " sizes above 0");
    }
    return shape[index];
  }

  /// How many of prefix0suffix, prefix1suffix, ... there are.
  int64_t count(const std::string& prefix, const std::string& suffix) const {
    int64_t n = 0;
    while (has(concat(prefix, n, suffix))) {
      ++n;
    }
    file_.find(concat(prefix, n, suffix));  // throws if the next one only has another name
    return n;
  }

  template <typename T>
  std::optional<T> metadata(const char* key) const {
    if (!metadata_.contains(key)) {
      return std::nullopt;
    }
    try {
      return metadata_[key].get<T>();
    } catch (const nlohmann::json::exception& error) {
      throw usage_error(file_.path().string(), ": metadata \"", key, "\": ", error.what());
    }
  }

 private:
  const WeightFile& file_;
  nlohmann::json metadata_ = nlohmann::json::object();
};

/// A one-line warning if the file does not mark a MAR's weights as averaged (EMA) although its
/// format could; empty otherwise.
std::string missing_ema(const WeightFile& file);

/// The MAR's configuration: shapes, and heads from the metadata "config", else from the preset of
/// that width, else `heads`.
MarConfig read_mar_config(const WeightFile& file, const Preset* preset,
                          std::optional<int64_t> heads = std::nullopt);

/// Whether the metadata or the preset tells a MAR's number of heads.
bool tells_heads(const WeightFile& file, const Preset* preset);

/// The KL-VAE decoder's configuration: shapes, and "num_groups", "norm_eps", "scale_factor" from
/// the metadata "config" if present.
VaeConfig read_vae_config(const WeightFile& file);

}  // namespace lazymar
