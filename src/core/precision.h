#pragma once
/// The number types networks compute in, as a table: one row is one value of --precision.

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

/// What a linear layer does in its network. This determines the format of its weights.
enum class LayerRole {
  kQkv,         ///< transformer blocks: queries, keys and values
  kProjection,  ///< transformer blocks: after attention
  kMlpIn,       ///< transformer blocks: the MLP's first layer
  kMlpOut,      ///< transformer blocks: the MLP's second layer
  kEmbedding,   ///< from the encoder to the decoder
  kHead,        ///< the diffusion head's MLPs
  kModulation,  ///< the diffusion head's adaptive layers
  kExact,       ///< layers whose rounding the diffusion process would magnify
};
inline constexpr size_t kLayerRoles = 8;

/// A format of nn/linear_formats.h, by name, for each role.
class LayerFormats {
 public:
  /// `exact` for LayerRole::kExact, `format` for the others.
  constexpr LayerFormats(std::string_view format, std::string_view exact) {
    formats_.fill(format);
    formats_[static_cast<size_t>(LayerRole::kExact)] = exact;
  }

  /// The same, with another format for one role.
  constexpr LayerFormats with(LayerRole role, std::string_view format) const {
    LayerFormats formats = *this;
    formats.formats_[static_cast<size_t>(role)] = format;
    return formats;
  }

  /// The same, with one format in place of another.
  constexpr LayerFormats replaced(std::string_view format, std::string_view by) const {
    LayerFormats formats = *this;
    std::replace(formats.formats_.begin(), formats.formats_.end(), format, by);
    return formats;
  }

  constexpr std::string_view of(LayerRole role) const {
    return formats_[static_cast<size_t>(role)];
  }

 private:
  std::array<std::string_view, kLayerRoles> formats_{};
};

enum class NumberType { kFp64, kFp32, kBf16, kFp16 };

/// What a precision is on one kind of device.
struct PrecisionSupport {
  /// Whether the device can compute in it; null: always.
  bool (*works)() = nullptr;
  /// Whether `auto` chooses this row, if it chose no earlier one; null: never.
  bool (*preferred)() = nullptr;
  /// The message if the device does not support it: "for GPUs; use fp32 on CPUs".
  std::string_view refusal = {};
};

/// One way to compute a network.
struct PrecisionPreset {
  std::string_view name;
  LayerFormats formats;
  NumberType activations;   ///< between products: residual stream, norms, softmax, sampling
  NumberType convolutions;  ///< of the VAE, except its first and last ones
  PrecisionSupport cpu, gpu;
  /// Largest NMSE between a trace and its replay (lazymar_verify). In fp64 the original still
  /// computes the timesteps' sinusoids in fp32, by vector functions whose last bit depends on the
  /// processor. The machine that recorded a trace gives 1e-13, others up to 2e-11. In bf16 the
  /// cache may choose another row: up to 1.4e-3.
  double verify_tolerance;
  /// The precision in which images that are NaN/Inf or of one colour are recomputed.
  std::string_view retry_in = {};  ///< empty: none
};

/// A row of the table of precisions, or `auto`, which is resolved once the device is known.
class Precision {
 public:
  constexpr Precision() = default;  ///< auto
  /// `preset` must outlive it.
  constexpr explicit Precision(const PrecisionPreset& preset) : preset_(&preset) {}

  constexpr bool is_auto() const { return preset_ == nullptr; }
  /// Not for `auto`.
  constexpr const PrecisionPreset& operator*() const { return *preset_; }
  constexpr const PrecisionPreset* operator->() const { return preset_; }

  constexpr bool operator==(const Precision&) const = default;
  /// An arbitrary order, for maps.
  bool operator<(const Precision& other) const { return std::less<>()(preset_, other.preset_); }

 private:
  const PrecisionPreset* preset_ = nullptr;
};

/// All rows, in the order in which help lists them and `auto` tries them.
const std::vector<Precision>& precisions();

/// Those that the device can compute in: a CPU, or a GPU.
std::vector<Precision> working_precisions(bool on_cpu);

/// Adds a row after the built-in ones, for a program with its own format. `preset` must live as
/// long as the program. Do not call it while other threads read the table.
void add_precision(const PrecisionPreset& preset);

/// "auto", a row's name, or "int8:" and those of qkv, proj, fc1, fc2 that are in 8 bits, the others
/// as in bf16; after "int8_fp32:", the others as in fp32. Anything else throws (usage): "int9: use
/// auto, ...".
Precision parse_precision(std::string_view text);
std::string_view to_string(Precision precision);

/// "auto", then the rows' names.
std::vector<std::string> precision_names();

/// The row that `auto` chooses; any other precision is returned unchanged. Throws Error (usage) for
/// a precision that the device cannot compute in.
Precision resolve_precision(Precision precision, bool on_cpu);

}  // namespace lazymar
