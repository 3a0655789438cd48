#pragma once
/// The tensors of a checkpoint in other types, one at a time.

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "formats/safetensors.h"
#include "pipeline/smoothing.h"
#include "weights/int8_weight.h"
#include "weights/weight_file.h"

namespace lazymar {

/// "2 of 64 values are NaN or infinite", or "are too large for F32"; empty if none is.
std::string bad_values_text(const TensorView& view);

struct TensorConversion {
  std::optional<ElementType> dtype;  ///< of floating-point tensors; none: unchanged
  bool int8 = false;                 ///< weights of a MAR's block layers: see weights/int8_weight.h
  Smoothing smoothing;               ///< before the types change
};

/// Must outlive what tensors() returns.
class ConvertedTensors {
 public:
  ConvertedTensors(const WeightFile& file, TensorConversion conversion);

  /// What is to be written; of a VAE, what the decoder needs. Warns of unreadable tensors that are
  /// left out. Throws Error (usage), at once or when the bytes are asked for: for NaN and infinite
  /// values, those that F32 or the new type cannot hold, and int8 in a file with no weights for it.
  std::map<std::string, TensorSource> tensors();

 private:
  using Make = std::function<at::Tensor()>;
  void add(std::map<std::string, TensorSource>& sources, const std::string& name,
           const TensorView& view);
  /// What `make` returns in 8 bits, kept until another name is asked for: the numbers and the
  /// factors are written one after the other.
  const Int8Weight& int8_weight(const std::string& name, const Make& make);
  /// The bytes of what `make` returns, which are kept until the next call.
  std::span<const std::byte> bytes(const std::string& name, const Make& make);

  const WeightFile& file_;
  TensorConversion conversion_;
  at::Tensor current_;
  std::string int8_name_;
  Int8Weight int8_weight_;
};

}  // namespace lazymar
