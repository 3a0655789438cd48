#pragma once
/// lazymar_verify's options.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/precision.h"

namespace lazymar {

/// lazymar_verify's settings.
struct VerifyOptions {
  std::filesystem::path trace;
  std::optional<std::filesystem::path> weights, vae, dump;
  std::optional<double> tolerance;  ///< of the NMSE; default: by precision, see default_tolerance()
  Precision precision = Precision::kFp64;
  std::string device = "auto";
  bool cuda_graphs = true;
  std::optional<int64_t> threads;
};

}  // namespace lazymar
