#include "run/launcher_env.h"

#include <unistd.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "core/error.h"

namespace lazymar {
namespace {

/// A variable that, if set, must be a whole number from 0.
std::optional<int64_t> number_of(const Environment& environment, const char* name) {
  const std::string text = text_of(environment, name);
  if (text.empty()) {
    return std::nullopt;
  }
  int64_t number = -1;
  const char* end = text.data() + text.size();
  const auto [next, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc() || next != end || number < 0) {
    throw usage_error(name, "=", text, ": must be a whole number");
  }
  return number;
}

/// The variable names of one launcher.
struct Dialect {
  const char* rank;
  const char* size;
  const char* local_rank;
  const char* local_size;
  const char* restarts;
};

constexpr Dialect kTorchrun{"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE",
                            "TORCHELASTIC_RESTART_COUNT"};
constexpr Dialect kOpenMpi{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                           "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", ""};
// Slurm tells the processes of each host in a list: see tasks_on_node().
constexpr Dialect kSlurm{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "",
                         "SLURM_RESTART_COUNT"};

/// The environment that this launcher describes, if it is present.
std::optional<LauncherEnv> read(const Environment& environment, const Dialect& dialect,
                                const std::string& launch) {
  const auto rank = number_of(environment, dialect.rank);
  const auto size = number_of(environment, dialect.size);
  if (!rank && !size) {
    return std::nullopt;
  }
  if (!rank || !size) {
    throw usage_error(rank ? dialect.rank : dialect.size, " is set and ",
                      rank ? dialect.size : dialect.rank,
                      " is not; start through the launcher, or unset both");
  }
  if (*rank >= *size) {
    throw usage_error(dialect.rank, "=", *rank, ": must be below ", dialect.size, "=", *size);
  }
  LauncherEnv env;
  env.launcher = Launcher::kExternal;
  env.rank = *rank;
  env.size = *size;
  const auto local_rank = number_of(environment, dialect.local_rank);
  if (!local_rank && *size > 1) {
    throw usage_error(
        dialect.rank, " is set and ", dialect.local_rank,
        " is not; it selects the GPU of this process (set it to 0 on a host without GPUs)");
  }
  env.local_rank = local_rank.value_or(0);
  env.local_size = number_of(environment, dialect.local_size).value_or(1);
  env.launch = launch;
  env.restarted = number_of(environment, dialect.restarts).value_or(0) > 0;
  return env;
}

/// The processes of this host. Inside of a step, the step's own list counts, not the job's.
int64_t slurm_local_size(const Environment& environment) {
  const auto node = number_of(environment, "SLURM_NODEID");
  for (const char* name : {"SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"}) {
    const std::string tasks = text_of(environment, name);
    if (!tasks.empty() && node) {
      return tasks_on_node(tasks, *node).value_or(1);
    }
  }
  return 1;
}

LauncherEnv read_worker(const std::string& text) {
  LauncherEnv env;
  env.launcher = Launcher::kOwn;
  int64_t numbers[3] = {};
  const char* next = text.data();
  const char* end = text.data() + text.size();
  for (int64_t& number : numbers) {
    const auto [stop, status] = std::from_chars(next, end, number);
    if (status != std::errc() || stop == end || *stop != '/') {
      throw usage_error(kWorkerVariable, " is reserved for lazymar_eval's own workers; unset it");
    }
    next = stop + 1;
  }
  env.rank = env.local_rank = numbers[0];
  env.size = env.local_size = numbers[1];
  env.ready = static_cast<int>(numbers[2]);
  env.launch.assign(next, end);
  return env;
}

}  // namespace

std::optional<int64_t> tasks_on_node(const std::string& tasks_per_node, int64_t node) {
  const char* next = tasks_per_node.data();
  const char* const end = next + tasks_per_node.size();
  const auto number = [&](int64_t& value) {
    const auto [stop, status] = std::from_chars(next, end, value);
    next = stop;
    return status == std::errc() && value > 0;
  };
  std::optional<int64_t> found;
  while (next < end) {
    int64_t tasks = 0;
    int64_t nodes = 1;
    if (!number(tasks)) {
      return std::nullopt;
    }
    if (std::string_view(next, static_cast<size_t>(end - next)).starts_with("(x")) {
      next += 2;
      if (!number(nodes) || next == end || *next++ != ')') {
        return std::nullopt;
      }
    }
    if (node >= 0 && node < nodes) {
      found = tasks;
    }
    node -= nodes;
    if (next < end && *next++ != ',') {
      return std::nullopt;
    }
  }
  return found;
}

LauncherEnv read_launcher_env(const Environment& environment) {
  if (const std::string worker = text_of(environment, kWorkerVariable); !worker.empty()) {
    return read_worker(worker);
  }
  const auto text = [&](const char* name) { return text_of(environment, name); };
  if (auto env = read(environment, kTorchrun,
                      concat("torchrun ", text("TORCHELASTIC_RUN_ID"), " ", text("MASTER_ADDR"),
                             ":", text("MASTER_PORT")))) {
    return *env;
  }
  if (auto env = read(environment, kOpenMpi, "mpirun " + text("PMIX_NAMESPACE"))) {
    return *env;
  }
  // Slurm also sets SLURM_PROCID in a batch script, which is not a task of a step.
  if (!text("SLURM_STEP_ID").empty() && !text("SLURM_STEP_NUM_TASKS").empty()) {
    if (auto env = read(environment, kSlurm,
                        concat("srun ", text("SLURM_JOB_ID"), ".", text("SLURM_STEP_ID")))) {
      env->local_size = slurm_local_size(environment);
      return *env;
    }
  }
  return {};
}

}  // namespace lazymar
