#include "files/cpu_share.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "files/control_group.h"
#include "files/memory_room.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

CpuLimits limits(int64_t cores) {
  CpuLimits limits;
  limits.cores = limits.parent_cores = cores;
  return limits;
}

std::string share(const CpuLimits& limits, const CpuSharers& sharers) {
  return to_string(cpu_share(limits, sharers));
}

TEST(CpuShare, IsThePartOfTheProcessorsThatOneOfTheRanksHas) {
  EXPECT_EQ(share(limits(2), {}), "2 (2 cores)");
  EXPECT_EQ(share(limits(2), {2, 2}), "1 (2 cores, 2 ranks here)");
  EXPECT_EQ(share(limits(64), {3, 3}), "21 (64 cores, 3 ranks here)");
  EXPECT_EQ(share(limits(1), {}), "1 (1 core)");
  EXPECT_EQ(share(limits(2), {5, 5}), "1 (2 cores, 5 ranks here)");
}

TEST(CpuShare, TheSmallestLimitCounts) {
  CpuLimits container = limits(64);
  container.quota = 2;
  EXPECT_EQ(share(container, {}), "2 (64 cores, a quota of 2)");
  EXPECT_EQ(share(container, {2, 2}), "1 (64 cores, a quota of 2, 2 ranks here)");
  container.quota = 1.5;  // with two threads, one would wait for its time
  EXPECT_EQ(cpu_share(container, {}).threads, 1);
  container.quota = 0.25;
  EXPECT_EQ(cpu_share(container, {}).threads, 1);
  CpuLimits task = limits(64);
  task.slurm_cpus = 4;  // for each task: not divided
  EXPECT_EQ(share(task, {8, 8}), "4 (64 cores, SLURM_CPUS_PER_TASK=4, 8 ranks here)");
  EXPECT_EQ(cpu_share(task, {32, 32}).threads, 2);
  task.omp_threads = 3;
  EXPECT_EQ(cpu_share(task, {8, 8}).threads, 3);
  task.omp_threads = 300;
  EXPECT_EQ(cpu_share(task, {}).threads, 4);
}

TEST(CpuShare, OtherContainersHaveAQuotaOfTheirOwn) {
  CpuLimits container = limits(8);
  container.quota = 2;
  EXPECT_EQ(cpu_share(container, {2, 1}).threads, 2);
}

TEST(CpuShare, BoundProcessesShareOnlyWhatTheyAreBoundTo) {
  CpuLimits bound = limits(8);
  bound.parent_cores = 16;
  EXPECT_EQ(sharers_by_launcher(bound, 2).cores, 1);
  EXPECT_EQ(sharers_by_launcher(bound, 4).cores, 2);
  EXPECT_EQ(sharers_by_launcher(bound, 1).cores, 1);
  EXPECT_EQ(sharers_by_launcher(limits(8), 4).cores, 4);
}

TEST(CpuShare, ReadsTheEnvironmentAndThisMachine) {
  const std::map<std::string, std::string> variables{{"SLURM_CPUS_PER_TASK", "4"},
                                                     {"OMP_NUM_THREADS", "3,2"}};
  const CpuLimits read = read_cpu_limits([&](const char* name) {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second.c_str() : nullptr;
  });
  EXPECT_EQ(read.slurm_cpus, 4);
  EXPECT_EQ(read.omp_threads, 3);
  EXPECT_FALSE(parse_cpu_list(read.cpus).empty());
  EXPECT_GE(read.cores, 1);
  const CpuLimits none = read_cpu_limits([](const char*) { return nullptr; });
  EXPECT_FALSE(none.slurm_cpus || none.omp_threads);
}

TEST(CpuShare, ReadsListsOfProcessors) {
  EXPECT_EQ(parse_cpu_list("0-3,8"), (std::vector<int64_t>{0, 1, 2, 3, 8}));
  EXPECT_EQ(parse_cpu_list("5"), std::vector<int64_t>{5});
  for (const char* text : {"", "3-1", "a", "1-", "1-2-3", "0-99999999999"}) {
    EXPECT_TRUE(parse_cpu_list(text).empty()) << text;
  }
}

constexpr const char* kMountsV2 =
    "24 1 0:22 / /proc rw - proc proc rw\n"
    "31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(ControlGroup, OfVersion2AndThoseAroundIt) {
  const ControlGroupFolders found =
      control_groups("cpu", "0::/system.slice/docker-12.scope\n", kMountsV2);
  EXPECT_TRUE(found.unified);
  EXPECT_EQ(found.folders,
            (std::vector<std::filesystem::path>{"/sys/fs/cgroup/system.slice/docker-12.scope",
                                                "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup"}));
}

TEST(ControlGroup, OfVersion1AsAContainerSeesIt) {
  // The group's path is the host's; the mount begins at the container's group.
  const ControlGroupFolders found = control_groups(
      "cpu", "4:memory:/docker/12\n3:cpu,cpuacct:/docker/12\n0::/\n",
      "40 30 0:33 /docker/12 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
  EXPECT_FALSE(found.unified);
  EXPECT_EQ(found.folders, std::vector<std::filesystem::path>{"/sys/fs/cgroup/cpu,cpuacct"});
  EXPECT_TRUE(control_groups("cpu", "", "").folders.empty());
  EXPECT_TRUE(control_groups("cpu", "nonsense\n::\n", "nonsense - \n").folders.empty());
}

TEST(ControlGroup, TheSmallestQuotaCounts) {
  EXPECT_EQ(quota_of("200000 100000"), 2.0);
  EXPECT_EQ(quota_of("max 100000"), std::nullopt);
  EXPECT_EQ(quota_of("-1 100000"), std::nullopt);
  EXPECT_EQ(quota_of(""), std::nullopt);
  const TemporaryFolder top;
  const std::filesystem::path inner = top.path() / "inner";
  std::filesystem::create_directory(inner);
  const ControlGroupFolders unified{true, {inner, top.path()}};
  EXPECT_EQ(cpu_quota(unified), std::nullopt);
  write_text(inner / "cpu.max", "max 100000\n");
  write_text(top.path() / "cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(unified), 1.5);
  write_text(inner / "cpu.max", "50000 100000\n");
  EXPECT_EQ(cpu_quota(unified), 0.5);
  write_text(inner / "cpu.cfs_quota_us", "-1\n");
  write_text(inner / "cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota({false, {inner}}), std::nullopt);
  write_text(inner / "cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(cpu_quota({false, {inner}}), 3.0);
}

TEST(ControlGroup, MemoryOfFilesCountsAsFree) {
  const TemporaryFolder folder;
  const ControlGroupFolders unified{true, {folder.path()}};
  EXPECT_EQ(memory_left(unified), std::nullopt);
  write_text(folder.path() / "memory.max", "max\n");
  write_text(folder.path() / "memory.current", "700\n");
  EXPECT_EQ(memory_left(unified), std::nullopt);
  write_text(folder.path() / "memory.max", "1000\n");
  EXPECT_EQ(memory_left(unified), 300);
  write_text(folder.path() / "memory.stat", "anon 400\ninactive_file 200\n");
  EXPECT_EQ(memory_left(unified), 500);
  write_text(folder.path() / "memory.limit_in_bytes", "9223372036854771712\n");
  write_text(folder.path() / "memory.usage_in_bytes", "700\n");
  EXPECT_EQ(memory_left({false, {folder.path()}}), std::nullopt);
}

TEST(MemoryRoom, SlurmsLimitIsInMebibytes) {
  std::map<std::string, std::string> variables;
  const auto environment = [&](const char* name) {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second.c_str() : nullptr;
  };
  EXPECT_FALSE(slurm_memory(environment));
  EXPECT_GT(memory_room(environment)->bytes, 0);
  variables = {{"SLURM_MEM_PER_NODE", "1"}};
  EXPECT_EQ(slurm_memory(environment)->bytes, 1 << 20);
  EXPECT_EQ(memory_room(environment)->limit, "SLURM_MEM_PER_NODE");
  variables = {{"SLURM_MEM_PER_CPU", "100"}, {"SLURM_CPUS_ON_NODE", "4"}};
  EXPECT_EQ(slurm_memory(environment)->bytes, int64_t{400} << 20);
  variables = {{"SLURM_MEM_PER_NODE", "0"}};
  EXPECT_FALSE(slurm_memory(environment));
}

}  // namespace
}  // namespace lazymar
