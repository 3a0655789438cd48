#pragma once
/// The comparison as one self-contained HTML file.

#include <cstdint>
#include <string>

#include "report/comparison.h"

namespace lazymar {

/// `pairs`: how many pairs of each run are shown; the worst half, and others spread over the rest.
std::string report_html(const Comparison& comparison, int64_t pairs);

}  // namespace lazymar
