#include "generate/thread_share.h"

#include "core/error.h"
#include "core/log.h"
#include "files/environment.h"
#include "pipeline/compute.h"
#include "run/heartbeat.h"

namespace lazymar {
namespace {

using Clock = std::chrono::steady_clock;

/// Many processes on a network file system read each other's files at this rate.
constexpr auto kInterval = std::chrono::seconds(10);

}  // namespace

ThreadShare::ThreadShare(const std::optional<int64_t>& given, const LauncherEnv& env, double stall)
    : fixed_(given.has_value()),
      local_size_(env.local_size),
      stall_(stall),
      limits_(read_cpu_limits(own_environment)),
      share_(cpu_share(limits_, sharers_by_launcher(limits_, local_size_))) {}

void ThreadShare::adapt(const RunFolder& folder) {
  const auto now = Clock::now();
  if (fixed_ || (counted_ && now - *counted_ < kInterval)) {
    return;
  }
  counted_ = now;
  const HostMembers here =
      members_here(read_members(folder.info()), this_process(), limits_.cpus, stall_);
  all_came_ = all_came_ || here.all >= local_size_;
  if (!all_came_) {
    return;
  }
  const CpuShare share = cpu_share(limits_, here.sharers);
  if (share.threads != share_.threads) {
    log_info(concat("threads: ", to_string(share)));
    set_threads(share.threads);
  }
  share_ = share;
}

}  // namespace lazymar
