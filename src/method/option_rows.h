#pragma once
/// The rows of the options that set how images are drawn.

#include "core/option_row.h"
#include "method/lazy_options.h"
#include "method/sampling_options.h"

namespace lazymar {

OptionTable<SamplingOptions> sampling_rows();
OptionTable<LazyOptions> lazy_rows();

}  // namespace lazymar
