#pragma once
/// Images as one array in an .npz: what OpenAI's evaluator (guided-diffusion/evaluations) takes.

#include <filesystem>

#include "score/extraction.h"
#include "score/image_source.h"

namespace lazymar {

/// Writes the usable images of a set as arr_0 [N, H, W, 3] uint8. They are shuffled, because that
/// evaluator's Inception Score splits the set in file order; the order depends only on their
/// number. Streamed, without memory for the set. Throws Error (usage) if images differ in size, or
/// can no longer be read.
void write_image_npz(const std::filesystem::path& path, const ImageSource& source,
                     const FeatureTable& table, int64_t threads);

}  // namespace lazymar
