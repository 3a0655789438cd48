#pragma once
/// The class of each image of the set.

#include <cstdint>
#include <vector>

namespace lazymar {

/// Class of image i: classes[floor(i * K / num_images)]. Sorted and balanced; equal to the
/// original's labels if K divides num_images.
int64_t label_of(int64_t id, const std::vector<int64_t>& classes, int64_t num_images);

}  // namespace lazymar
