#pragma once
/// The rows of the options that say how images are drawn, beside their structs.

#include <string>
#include <string_view>

#include "core/option_row.h"
#include "method/lazy_options.h"
#include "method/sampling_options.h"

namespace lazymar {

OptionTable<SamplingOptions> sampling_rows();
OptionTable<LazyOptions> lazy_rows();

/// Reads "published", "scaled" or a list such as "1,1,0.5" (each from 0 to 1) into `options`;
/// anything else throws (usage).
void parse_retain(std::string_view text, LazyOptions& options);

/// The text that parse_retain reads back.
std::string retain_string(const LazyOptions& options);

}  // namespace lazymar
