#pragma once
/// The rows of the options that set how images are drawn.

#include "core/option_row.h"
#include "method/lazy_options.h"
#include "method/plan_options.h"
#include "method/sampling_options.h"

namespace lazymar {

OptionTable<SamplingOptions> sampling_rows();
OptionTable<LazyOptions> lazy_rows();
/// Those of them that are texts are read, and refused, here.
OptionTable<PlanOptions> plan_rows();

}  // namespace lazymar
