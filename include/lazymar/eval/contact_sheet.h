#pragma once
/// A picture of pictures: images spread evenly over a run.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "lazymar/run/block_plan.h"
#include "lazymar/run/image_files.h"
#include "lazymar/run/journal.h"

namespace lazymar {

/// The PNG of rows x columns tiles of `size` x `size` pixels, read back from a run's files; tiles
/// of images that are not there stay white.
std::vector<std::byte> contact_sheet(std::pair<int64_t, int64_t> grid, const BlockPlan& plan,
                                     const ImageFiles& files, const JournalReader& journal,
                                     int64_t size);

}  // namespace lazymar
