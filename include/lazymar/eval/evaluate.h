#pragma once
/// lazymar_eval: a set of images into a run folder.

#include <cstdint>
#include <vector>

#include "lazymar/core/error.h"
#include "lazymar/eval/options.h"

namespace lazymar {

/// Class of image i: classes[floor(i * K / num_images)]. Sorted and balanced, and what the original
/// takes where K divides num_images.
int64_t label_of(int64_t id, const std::vector<int64_t>& classes, int64_t num_images);

/// Generates, writes PNGs, prints a summary and leaves it in info/summary.json.
ExitCode evaluate(const EvalOptions& options);

}  // namespace lazymar
