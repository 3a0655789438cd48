#pragma once
/// The rows of the options that choose the networks and how they sample.

#include "core/option_row.h"
#include "pipeline/convert.h"
#include "pipeline/method_request.h"
#include "pipeline/model_files.h"

namespace lazymar {

inline constexpr const char* kModelGroup = "Model files";

OptionTable<ModelRequest> model_rows();
/// Sampling and caches; precision and CUDA graphs are in core/shared_rows.h.
OptionTable<MethodRequest> method_rows();
OptionTable<ConvertOptions> convert_rows();

}  // namespace lazymar
