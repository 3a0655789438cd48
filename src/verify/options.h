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
  std::optional<double> tolerance;  ///< of the NMSE; default: default_tolerance()
  Precision precision = Precision::kFp64;
  std::string device = "auto";
  bool cuda_graphs = true;
  std::optional<int64_t> threads;
};

/// Largest NMSE that rounding explains. In fp64 the original still takes the timesteps' sinusoids
/// in fp32, from vector functions whose last bit depends on the processor: the machine that
/// recorded a trace gives 1e-13, others up to 2e-11. In bf16 the cache may choose another row: up
/// to 1.4e-3.
double default_tolerance(Precision precision);

OptionTable<VerifyOptions> verify_rows();

}  // namespace lazymar
