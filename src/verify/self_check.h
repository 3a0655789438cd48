#pragma once
/// lazymar_verify --self_check: is what this processor or GPU computes by code of its own right?

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/exit_code.h"
#include "core/precision.h"
#include "pipeline/kernel_check.h"
#include "verify/options.h"

namespace lazymar {

/// Every operation in one precision, for rows of `width` values with `heads` heads.
std::vector<KernelVerdict> self_check(Precision precision, int64_t width, int64_t heads,
                                      c10::Device device);

/// A line per operation: operation, shape, error, tolerance, verdict.
std::string self_check_table(const std::vector<KernelVerdict>& verdicts);

/// The published widths in every precision that the device has. kFailed if an operation fails.
ExitCode self_check(const VerifyOptions& options);

}  // namespace lazymar
