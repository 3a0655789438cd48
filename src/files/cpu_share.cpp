#include "files/cpu_share.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "files/control_group.h"
#include "files/environment.h"
#include "files/text_file.h"

namespace lazymar {
namespace {

/// Cpus_allowed_list of /proc/<process>/status; empty if it cannot be read.
std::string allowed_cpus(const std::string& process) {
  return value_in("/proc/" + process + "/status", "Cpus_allowed_list");
}

int64_t count_cores(const std::string& cpus) {
  std::set<std::string> cores;
  for (const int64_t cpu : parse_cpu_list(cpus)) {
    const std::string siblings =
        first_line(concat("/sys/devices/system/cpu/cpu", cpu, "/topology/thread_siblings_list"));
    cores.insert(siblings.empty() ? std::to_string(cpu) : siblings);
  }
  return std::max<int64_t>(1, static_cast<int64_t>(cores.size()));
}

/// If OpenMP binds threads, it has bound this one before main(): its list is not the process's.
bool openmp_binds(const Environment& environment) {
  constexpr const char* kNames[] = {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY",
                                    "KMP_AFFINITY"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](const char* name) { return environment(name) != nullptr; });
}

}  // namespace

std::vector<int64_t> parse_cpu_list(const std::string& text) {
  std::vector<int64_t> cpus;
  for (const std::string& part : split(text, ',')) {
    const std::vector<std::string> ends = split(part, '-');
    const int64_t first = parse_index(ends.front());
    const int64_t last = parse_index(ends.back());
    constexpr int64_t kMost = 1 << 16;
    if (ends.size() > 2 || first < 0 || last < first || last >= kMost) {
      return {};
    }
    for (int64_t cpu = first; cpu <= last; ++cpu) {
      cpus.push_back(cpu);
    }
  }
  return cpus;
}

CpuLimits read_cpu_limits(const Environment& environment) {
  const std::string parent = allowed_cpus(std::to_string(::getppid()));
  const std::string own = allowed_cpus("self");
  CpuLimits limits;
  limits.cpus = openmp_binds(environment) && !parent.empty() ? parent : own;
  limits.cores = count_cores(limits.cpus);
  limits.parent_cores = parent.empty() ? limits.cores : count_cores(parent);
  limits.quota = cpu_quota(own_control_groups("cpu"));
  limits.slurm_cpus = leading_number(environment, "SLURM_CPUS_PER_TASK");
  // It may be a list, one entry per level of nesting.
  limits.omp_threads = leading_number(environment, "OMP_NUM_THREADS");
  return limits;
}

CpuSharers sharers_by_launcher(const CpuLimits& limits, int64_t local_size) {
  const int64_t all = std::max(limits.cores, limits.parent_cores);
  return {std::max<int64_t>(1, (local_size * limits.cores + all - 1) / all), local_size};
}

std::string to_string(const CpuShare& share) {
  return concat(share.threads, " (", share.reason, ")");
}

CpuShare cpu_share(const CpuLimits& limits, const CpuSharers& sharers) {
  CpuShare share{limits.cores / sharers.cores,
                 concat(limits.cores, limits.cores == 1 ? " core" : " cores")};
  if (limits.quota) {
    const auto whole = static_cast<int64_t>(*limits.quota);
    share.threads = std::min(share.threads, whole / sharers.quota);
    share.reason += concat(", a quota of ", shortest_text(*limits.quota));
  }
  if (limits.slurm_cpus) {
    share.threads = std::min(share.threads, *limits.slurm_cpus);
    share.reason += concat(", SLURM_CPUS_PER_TASK=", *limits.slurm_cpus);
  }
  if (limits.omp_threads) {
    share.threads = std::min(share.threads, *limits.omp_threads);
    share.reason += concat(", OMP_NUM_THREADS=", *limits.omp_threads);
  }
  const int64_t ranks = limits.quota ? std::max(sharers.cores, sharers.quota) : sharers.cores;
  if (ranks > 1) {
    share.reason += concat(", ", ranks, " ranks here");
  }
  share.threads = std::max<int64_t>(1, share.threads);
  return share;
}

}  // namespace lazymar
