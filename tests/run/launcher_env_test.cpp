#include "run/launcher_env.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;
using Variables = std::map<std::string, std::string>;

LauncherEnv world_of(const Variables& variables) {
  return read_launcher_env([&](const char* name) {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second.c_str() : nullptr;
  });
}

TEST(LauncherEnv, IsAloneWithoutALauncher) {
  const LauncherEnv env = world_of({{"PATH", "/bin"}});
  EXPECT_EQ(env.launcher, Launcher::kNone);
  EXPECT_EQ(env.size, 1);
}

TEST(LauncherEnv, ReadsEachLaunchersOwnVariables) {
  const Variables torchrun{
      {"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "4"}};
  const Variables mpirun{{"OMPI_COMM_WORLD_RANK", "5"},
                         {"OMPI_COMM_WORLD_SIZE", "8"},
                         {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                         {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"}};
  const Variables srun{{"SLURM_STEP_ID", "0"},
                       {"SLURM_PROCID", "5"},
                       {"SLURM_STEP_NUM_TASKS", "8"},
                       {"SLURM_LOCALID", "1"}};
  for (const Variables& variables : {torchrun, mpirun, srun}) {
    const LauncherEnv env = world_of(variables);
    EXPECT_EQ(env.launcher, Launcher::kExternal);
    EXPECT_EQ(env.rank, 5);
    EXPECT_EQ(env.size, 8);
    EXPECT_EQ(env.local_rank, 1);
  }
  EXPECT_EQ(world_of(torchrun).local_size, 4);
  EXPECT_FALSE(world_of(srun).restarted);
  Variables requeued = srun;
  requeued["SLURM_RESTART_COUNT"] = "1";
  EXPECT_TRUE(world_of(requeued).restarted);
}

TEST(LauncherEnv, TheInnermostLauncherCounts) {
  const LauncherEnv env = world_of({{"RANK", "1"},
                                    {"WORLD_SIZE", "2"},
                                    {"LOCAL_RANK", "1"},
                                    {"SLURM_STEP_ID", "0"},
                                    {"SLURM_PROCID", "0"},
                                    {"SLURM_STEP_NUM_TASKS", "1"}});
  EXPECT_EQ(env.size, 2);
}

TEST(LauncherEnv, ABatchScriptIsNoTask) {
  EXPECT_EQ(world_of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}).launcher, Launcher::kNone);
}

TEST(LauncherEnv, SlurmListsTheTasksOfEachNode) {
  EXPECT_EQ(tasks_on_node("2(x3),1", 0), 2);
  EXPECT_EQ(tasks_on_node("2(x3),1", 2), 2);
  EXPECT_EQ(tasks_on_node("2(x3),1", 3), 1);
  EXPECT_EQ(tasks_on_node("16", 0), 16);
  EXPECT_EQ(tasks_on_node("1,4(x2)", 2), 4);
  EXPECT_EQ(tasks_on_node("2(x3),1", 4), std::nullopt);
  for (const char* text : {"", "x", "2(x3", "2(x", "2(x0)", "2;1", "0", "-1", "2(x3)1"}) {
    EXPECT_EQ(tasks_on_node(text, 1), std::nullopt) << text;
  }
  Variables task{{"SLURM_STEP_ID", "0"},        {"SLURM_PROCID", "5"},
                 {"SLURM_STEP_NUM_TASKS", "7"}, {"SLURM_LOCALID", "1"},
                 {"SLURM_NODEID", "3"},         {"SLURM_TASKS_PER_NODE", "2(x3),1"}};
  EXPECT_EQ(world_of(task).local_size, 1);
  task["SLURM_NODEID"] = "2";
  EXPECT_EQ(world_of(task).local_size, 2);
  task["SLURM_STEP_TASKS_PER_NODE"] = "4(x4)";  // of the step, which may be smaller than the job
  EXPECT_EQ(world_of(task).local_size, 4);
  task["SLURM_STEP_TASKS_PER_NODE"] = "unknown";
  EXPECT_EQ(world_of(task).local_size, 1);
}

TEST(LauncherEnv, ReadsWhatOurOwnWorkersAreGiven) {
  const LauncherEnv env = world_of({{kWorkerVariable, "2/3/7/lazymar_eval host 1/2"}});
  EXPECT_EQ(env.launcher, Launcher::kOwn);
  EXPECT_EQ(env.rank, 2);
  EXPECT_EQ(env.local_size, 3);
  EXPECT_EQ(env.ready, 7);
  EXPECT_EQ(env.launch, "lazymar_eval host 1/2");
}

TEST(LauncherEnv, ContradictionsAreNamed) {
  const auto message = [](const Variables& variables) {
    return refused([&] { world_of(variables); });
  };
  EXPECT_TRUE(contains(message({{"RANK", "1"}}), "WORLD_SIZE is not"));
  EXPECT_TRUE(contains(message({{"WORLD_SIZE", "2"}}), "RANK is not"));
  EXPECT_TRUE(contains(message({{"RANK", "2"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "0"}}),
                       "RANK=2: must be below WORLD_SIZE=2"));
  EXPECT_TRUE(contains(message({{"RANK", "x"}, {"WORLD_SIZE", "2"}}), "RANK=x"));
  EXPECT_TRUE(contains(message({{"RANK", "0"}, {"WORLD_SIZE", "2"}}), "LOCAL_RANK is not"));
  EXPECT_TRUE(contains(message({{kWorkerVariable, "2/3"}}), kWorkerVariable));
}

}  // namespace
}  // namespace lazymar
