#pragma once
/// lazymar doctor: what a run would use here, and what would stop it.

#include <filesystem>
#include <optional>
#include <string>

#include "core/exit_code.h"
#include "core/option_row.h"

namespace lazymar {

struct DoctorOptions {
  std::optional<std::filesystem::path> checkpoint_dir;  ///< see files/pretrained.h
  std::filesystem::path output_dir = "output";
  std::string device = "auto";
};

OptionTable<DoctorOptions> doctor_rows();

/// Prints program, processor, GPUs, launcher, memory, disk, weights, then what would stop a run.
/// Writes nothing but a temporary file in the output folder. kFailed if something would stop a run.
ExitCode examine(const DoctorOptions& options);

}  // namespace lazymar
