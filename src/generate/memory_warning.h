#pragma once
/// Whether a model's weights fit in the memory that the processes of a host may use. On a CPU
/// nothing reports a lack of memory: the system kills the process.

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

/// What a process needs beside weights and images: the program and LibTorch, as measured.
inline constexpr int64_t kProgramBytes = int64_t{300} << 20;

/// "memory: ..." in one line if weights and program of that many processes need more than the room;
/// empty otherwise.
std::string memory_warning(int64_t weights, const std::optional<MemoryRoom>& room,
                           int64_t processes);

}  // namespace lazymar
