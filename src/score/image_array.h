#pragma once
/// Images in an array: an .npz or a bare .npy, as evaluators save them.

#include <filesystem>
#include <memory>

#include "score/image_source.h"

namespace lazymar {

/// The images of `arr_0`, or of the only array with four dimensions. Read are 8-bit integers, other
/// integers of 0 to 255, and floats that are whole numbers of 0 to 255, or lie in 0..1 or in -1..1
/// and come near both ends: [N, H, W, C] or [N, C, H, W] with 3 channels, 1 (grey) or 4 (alpha is
/// dropped), in any memory order and byte order. If both could be meant, channels are last. A
/// warning names an alpha channel and other arrays, once. Throws Error (usage) for anything else:
/// what is wrong, and the line of NumPy that mends it.
std::unique_ptr<ImageSource> open_image_array(const std::filesystem::path& path);

}  // namespace lazymar
