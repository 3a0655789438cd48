#pragma once
/// Whether a model's weights fit in the memory that this process may use. On a CPU nothing reports
/// a lack of memory: the system kills the process.

#include <cstdint>
#include <optional>
#include <string>

#include "core/precision.h"
#include "files/memory_room.h"
#include "pipeline/model_files.h"

namespace lazymar {

/// Bytes of the weights as they are kept on a CPU: packed for products in that precision. 0 for
/// random weights, whose number is not known before they are drawn.
int64_t weight_bytes(const OpenModel& files, Precision precision);

/// "memory: ..." in one line if the weights and LibTorch need more than the room; empty otherwise.
std::string memory_warning(int64_t weights, const std::optional<MemoryRoom>& room);

}  // namespace lazymar
