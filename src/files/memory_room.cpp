#include "files/memory_room.h"

#include <sstream>

#include "files/control_group.h"
#include "files/text_file.h"

namespace lazymar {
namespace {

std::optional<MemoryRoom> machine_memory() {
  constexpr int64_t kKiB = 1024;
  std::istringstream text(value_in("/proc/meminfo", "MemAvailable"));
  int64_t number = 0;
  return text >> number ? std::optional(MemoryRoom{number * kKiB, "this machine"}) : std::nullopt;
}

}  // namespace

std::optional<MemoryRoom> slurm_memory(const Environment& environment) {
  constexpr int64_t kMiB = int64_t{1} << 20;
  if (const auto node = leading_number(environment, "SLURM_MEM_PER_NODE")) {
    return MemoryRoom{*node * kMiB, "SLURM_MEM_PER_NODE"};
  }
  const auto each = leading_number(environment, "SLURM_MEM_PER_CPU");
  const auto cpus = leading_number(environment, "SLURM_CPUS_ON_NODE");
  return each && cpus ? std::optional(MemoryRoom{*each * *cpus * kMiB, "SLURM_MEM_PER_CPU"})
                      : std::nullopt;
}

std::optional<MemoryRoom> memory_room(const Environment& environment) {
  std::optional<MemoryRoom> least = machine_memory();
  const auto consider = [&least](const std::optional<MemoryRoom>& room) {
    if (room && (!least || room->bytes < least->bytes)) {
      least = room;
    }
  };
  if (const auto left = memory_left(own_control_groups("memory"))) {
    consider(MemoryRoom{*left, "the control group"});
  }
  consider(slurm_memory(environment));
  return least;
}

}  // namespace lazymar
