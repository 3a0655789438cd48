#pragma once
/// Which class an image of the set shows.

#include <cstdint>
#include <vector>

namespace lazymar {

/// Class of image i: classes[floor(i * K / num_images)]. Sorted and balanced, and what the original
/// takes where K divides num_images.
int64_t label_of(int64_t id, const std::vector<int64_t>& classes, int64_t num_images);

}  // namespace lazymar
