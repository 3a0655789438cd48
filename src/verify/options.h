#pragma once
/// lazymar_verify's options.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/option_row.h"
#include "core/precision.h"

namespace lazymar {

/// lazymar_verify's settings.
struct VerifyOptions {
  std::filesystem::path trace;
  std::optional<std::filesystem::path> weights, vae, dump;
  std::optional<double> tolerance;  ///< of the NMSE; by default the precision's
  Precision precision = parse_precision("fp64");
  std::string device = "auto";
  bool cuda_graphs = true;
  bool head_blocks = true;
  std::string kernels = "auto";
  bool self_check = false;  ///< compare this device's own code with LibTorch's, and replay nothing
  std::optional<int64_t> threads;
};

OptionTable<VerifyOptions> verify_rows();

}  // namespace lazymar
