#include "pipeline/converted_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/log.h"
#include "files/byte_reader.h"
#include "pipeline/network_reader.h"
#include "weights/bad_values.h"
#include "weights/network_names.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

bool is_float(ElementType type) {
  return type == ElementType::kF16 || type == ElementType::kBF16 || type == ElementType::kF32 ||
         type == ElementType::kF64;
}

/// The products of transformer blocks, which --precision int8 computes in 8 bits.
bool is_block_product(const std::string& name) {
  constexpr std::array<std::string_view, 4> kLayers{".attn.qkv.weight", ".attn.proj.weight",
                                                    ".mlp.fc1.weight", ".mlp.fc2.weight"};
  return (name.starts_with("encoder_blocks.") || name.starts_with("decoder_blocks.")) &&
         std::any_of(kLayers.begin(), kLayers.end(),
                     [&](std::string_view layer) { return name.ends_with(layer); });
}

bool unused_by_vae(const std::string& name) {
  return std::any_of(kUnusedVaeTensors.begin(), kUnusedVaeTensors.end(),
                     [&](const char* prefix) { return name.starts_with(prefix); });
}

}  // namespace

std::string bad_values_text(const TensorView& view) {
  const int64_t count = byte_count(view.type, view.shape) / element_size(view.type);
  if (const int64_t bad = count_bad_values(view); bad > 0) {
    return concat(bad, " of ", count, " values are NaN or infinite");
  }
  // Only --precision fp64 could use them, and no trained weight is that large.
  const int64_t bad =
      view.type == ElementType::kF64 ? count_bad_values(view, ElementType::kF32) : 0;
  return bad == 0 ? "" : concat(bad, " of ", count, " values are too large for F32");
}

ConvertedTensors::ConvertedTensors(const WeightFile& file, TensorConversion conversion)
    : file_(file), conversion_(std::move(conversion)) {}

std::map<std::string, TensorSource> ConvertedTensors::tensors() {
  const bool vae = file_.tensors().contains(std::string(kVaeTensor));
  std::map<std::string, TensorSource> sources;
  for (const auto& [name, view] : file_.tensors()) {
    if (vae && unused_by_vae(name)) {
      continue;
    }
    if (const std::string bad = bad_values_text(view); !bad.empty()) {
      throw usage_error(file_.path().string(), ": ", in_quotes(name), ": ", bad,
                        ", which no program takes; nothing was written (--list FILE marks all ",
                        "such tensors); take another checkpoint");
    }
    add(sources, name, view);
  }
  for (const auto& [name, reason] : file_.unreadable()) {
    if (!vae || !unused_by_vae(name)) {
      log_warning(concat("left out: ", in_quotes(name), ": ", reason));
    }
  }
  const auto in_8_bits = [](const auto& source) { return source.second.type == ElementType::kI8; };
  if (conversion_.int8 && std::none_of(sources.begin(), sources.end(), in_8_bits)) {
    throw usage_error(file_.path().string(), ": --int8: no MAR, so no layers for 8 bits; ",
                      "use --dtype");
  }
  return sources;
}

void ConvertedTensors::add(std::map<std::string, TensorSource>& sources, const std::string& name,
                           const TensorView& view) {
  const auto value = [this, name, &view] {
    return conversion_.smoothing(name, tensor_from_view(view, file_, name));
  };
  const auto from = [this, name](Make make) {
    return [this, name, make = std::move(make)] { return bytes(name, make); };
  };
  if (conversion_.int8 && is_float(view.type) && is_block_product(name)) {
    const auto weight = [this, name, value]() -> const Int8Weight& {
      return int8_weight(name, value);
    };
    sources[name] = {ElementType::kI8, view.shape, from([weight] { return weight().numbers; })};
    sources[concat(name, kScaleSuffix)] = {
        ElementType::kF32, {view.shape.front()}, from([weight] { return weight().scales; })};
    return;
  }
  const ElementType type =
      conversion_.dtype && is_float(view.type) ? *conversion_.dtype : view.type;
  if (view.strides.empty() && view.type == type && !conversion_.smoothing.changes(name)) {
    sources[name] = {type, view.shape, [this, name] { return file_.find(name)->bytes; }};
    return;
  }
  sources[name] = {type, view.shape, from([value, type] { return value().to(scalar_type(type)); })};
}

const Int8Weight& ConvertedTensors::int8_weight(const std::string& name, const Make& make) {
  if (name != int8_name_) {
    int8_weight_ = quantized(make());
    int8_name_ = name;
  }
  return int8_weight_;
}

std::span<const std::byte> ConvertedTensors::bytes(const std::string& name, const Make& make) {
  const TensorView& view = *file_.find(name);  // checks its checksum
  current_ = make().contiguous();
  const TensorView converted = view_of_tensor(current_);
  const int64_t bad = count_bad_values(converted);
  if (bad > 0 && count_bad_values(view) == 0) {
    const bool fits = count_bad_values(view, ElementType::kBF16) == 0;
    throw usage_error(file_.path().string(), ": ", bad, " values of ", in_quotes(name),
                      " are too large for ", to_string(converted.type), "; use --dtype ",
                      fits ? "bf16 or fp32" : "fp32");
  }
  return converted.bytes;
}

}  // namespace lazymar
