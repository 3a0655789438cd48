#pragma once
/// Images as one array in an .npz: what OpenAI's evaluator (guided-diffusion/evaluations) takes.

#include <filesystem>

#include "score/extraction.h"
#include "score/image_source.h"

namespace lazymar {

/// Writes the usable images of a set as arr_0 [N, H, W, 3] uint8, in an order that is shuffled
/// (that evaluator's Inception Score splits the set as it comes) and always the same for as many
/// images. Streamed: takes no memory. Throws Error (usage) where images differ in size, or cannot
/// be read any more.
void write_image_npz(const std::filesystem::path& path, const ImageSource& source,
                     const FeatureTable& table, int64_t threads);

}  // namespace lazymar
