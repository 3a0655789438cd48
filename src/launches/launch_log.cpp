#include "launches/launch_log.h"

#include <algorithm>
#include <utility>

namespace lazymar {

KernelWork& KernelWork::operator+=(const KernelWork& other) {
  launches += other.launches;
  bytes += other.bytes;
  flops += other.flops;
  for (size_t card = 0; card < kCardCount; ++card) {
    limit_seconds[card] += other.limit_seconds[card];
  }
  return *this;
}

KernelWork kernel_work(int64_t launches, int64_t bytes, int64_t flops) {
  KernelWork work{launches, bytes, flops, {}};
  for (size_t card = 0; card < kCardCount; ++card) {
    work.limit_seconds[card] = std::max(static_cast<double>(bytes) / kCards[card].bytes_per_second,
                                        static_cast<double>(flops) / kCards[card].flops_per_second);
  }
  return work;
}

LaunchLog& LaunchLog::operator+=(const LaunchLog& other) {
  for (const auto& [name, work] : other.by_name) {
    add(name, work);
  }
  graph_nodes += other.graph_nodes;
  graph_launches += other.graph_launches;
  return *this;
}

KernelWork LaunchLog::total() const {
  KernelWork all;
  for (const auto& [name, work] : by_name) {
    all += work;
  }
  return all;
}

int64_t LaunchLog::host_launches() const {
  return total().launches - graph_nodes + graph_launches;
}

LaunchLog*& current_log() {
  thread_local LaunchLog* log = nullptr;
  return log;
}

NoteIn::NoteIn(LaunchLog* log) : before_(std::exchange(current_log(), log)) {}
NoteIn::~NoteIn() {
  current_log() = before_;
}

}  // namespace lazymar
