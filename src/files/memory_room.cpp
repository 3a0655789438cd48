#include "files/memory_room.h"

#include <sstream>

#include "files/control_group.h"
#include "files/text_file.h"

namespace lazymar {
namespace {

using Environment = std::function<const char*(const char*)>;

std::optional<int64_t> number_of(const Environment& environment, const char* name) {
  const char* text = environment(name);
  std::istringstream in(text != nullptr ? text : "");
  int64_t number = 0;
  return in >> number && number > 0 ? std::optional(number) : std::nullopt;
}

std::optional<MemoryRoom> machine_memory() {
  constexpr int64_t kKiB = 1024;
  static const std::string kKey = "MemAvailable:";
  std::istringstream lines(read_text("/proc/meminfo"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kKey)) {
      return MemoryRoom{std::stoll(line.substr(kKey.size())) * kKiB, "this machine"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<MemoryRoom> slurm_memory(const Environment& environment) {
  constexpr int64_t kMiB = int64_t{1} << 20;
  if (const auto node = number_of(environment, "SLURM_MEM_PER_NODE")) {
    return MemoryRoom{*node * kMiB, "SLURM_MEM_PER_NODE"};
  }
  const auto each = number_of(environment, "SLURM_MEM_PER_CPU");
  const auto cpus = number_of(environment, "SLURM_CPUS_ON_NODE");
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
