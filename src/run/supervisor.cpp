#include "run/supervisor.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "core/exit_code.h"
#include "files/descriptor.h"
#include "run/launcher_env.h"
#include "run/process_id.h"

namespace lazymar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPause(200);
constexpr double kMercy = 5;  ///< seconds beyond the grace before a worker is killed

/// How a worker ended.
struct Ending {
  ExitCode code = ExitCode::kInternal;
  std::string reason;
  bool worth_a_restart = false;
  bool on_request = false;  ///< by a signal that asks a process to end
};

Ending read_status(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const bool on_request = signal == SIGTERM || signal == SIGKILL || signal == SIGUSR1;
    return {ExitCode::kInternal, concat("was killed by signal ", signal), true, on_request};
  }
  const auto code = static_cast<ExitCode>(WEXITSTATUS(status));
  return {code, concat("exited with status ", WEXITSTATUS(status)),
          code == ExitCode::kInternal || code == ExitCode::kDeviceFault, false};
}

/// The signals that this process waits for instead of being interrupted by them.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&waited_);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGCHLD}) {
      sigaddset(&waited_, signal);
    }
    ::sigprocmask(SIG_BLOCK, &waited_, &before_);
  }
  ~BlockedSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

  /// The next signal; 0 if none arrived for a while.
  int wait() const {
    const timespec pause{0, std::chrono::nanoseconds(kPause).count()};
    return std::max(0, ::sigtimedwait(&waited_, nullptr, &pause));
  }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t waited_{};
  sigset_t before_{};
};

class Supervisor {
 public:
  Supervisor(const SupervisorOptions& options, char* const* argv)
      : options_(options),
        argv_(argv),
        launch_(encode(this_process())),
        workers_(static_cast<size_t>(options.workers)) {}

  ExitCode run() {
    start(0);
    while (running() > 0) {
      const int signal = signals_.wait();
      if (signal == SIGINT && interrupted_) {
        send_all(SIGKILL);
        return ExitCode::kInterrupted;
      }
      interrupted_ = interrupted_ || signal == SIGINT;
      if (signal != 0 && signal != SIGCHLD) {
        stop();
      }
      collect();
      start_others();
      if (stopping_ && Clock::now() > deadline_) {
        send_all(SIGKILL);
      }
    }
    return verdict();
  }

 private:
  struct Worker {
    pid_t pid = -1;  ///< -1: not running
    int64_t restarts = 0;
    bool device_failed = false;
    std::optional<ExitCode> code;  ///< of a worker that is not started again
  };

  int64_t running() const {
    return std::count_if(workers_.begin(), workers_.end(),
                         [](const Worker& worker) { return worker.pid > 0; });
  }

  /// This process's environment, and the worker's entry (kWorkerVariable).
  std::vector<std::string> environment(size_t rank, int ready) const {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
      variables.emplace_back(*variable);
    }
    variables.push_back(concat(kWorkerVariable, "=", rank, "/", options_.workers, "/",
                               std::max(ready, 0), "/", launch_));
    if (workers_[rank].device_failed && !options_.after_device_fault.empty()) {
      const std::string name =
          options_.after_device_fault.substr(0, options_.after_device_fault.find('=') + 1);
      std::erase_if(variables, [&](const std::string& held) { return held.starts_with(name); });
      variables.push_back(options_.after_device_fault);
    }
    return variables;
  }

  void start(size_t rank) {
    Descriptor ready;
    Descriptor write_end;
    if (rank == 0) {
      int ends[2];
      if (::pipe(ends) != 0) {
        throw Error(ErrorKind::kInternal, concat("cannot create a pipe: ", std::strerror(errno)));
      }
      ready = Descriptor(ends[0]);
      write_end = Descriptor(ends[1]);
      ::fcntl(ready.number(), F_SETFD, FD_CLOEXEC);
      ::fcntl(ready.number(), F_SETFL, O_NONBLOCK);
    }
    std::vector<std::string> variables = environment(rank, write_end.number());
    std::vector<char*> pointers;
    pointers.reserve(variables.size() + 1);
    for (std::string& variable : variables) {
      pointers.push_back(variable.data());
    }
    pointers.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
      throw Error(ErrorKind::kInternal, concat("cannot start a worker: ", std::strerror(errno)));
    }
    if (pid == 0) {  // only what may be called between fork and exec
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      ::sigprocmask(SIG_SETMASK, &signals_.before(), nullptr);
      if (::getppid() == parent) {
        ::execve("/proc/self/exe", argv_, pointers.data());
      }
      ::_exit(static_cast<int>(ExitCode::kInternal));
    }
    workers_[rank].pid = pid;
    if (rank == 0) {
      ready_ = std::move(ready);
    }
  }

  /// Starts the other workers once the first one has opened the run folder.
  void start_others() {
    char mark = 0;
    if (all_started_ || stopping_ || ::read(ready_.number(), &mark, 1) != 1) {
      return;
    }
    all_started_ = true;
    for (size_t rank = 1; rank < workers_.size(); ++rank) {
      start(rank);
    }
  }

  void collect() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      for (size_t rank = 0; rank < workers_.size(); ++rank) {
        if (workers_[rank].pid == pid) {
          workers_[rank].pid = -1;
          settle(rank, read_status(status));
        }
      }
    }
  }

  void settle(size_t rank, const Ending& ending) {
    Worker& worker = workers_[rank];
    if (ending.on_request && stopping_) {
      // It was asked to stop before it handled signals, or killed after the grace.
      worker.code = ExitCode::kIncomplete;
      return;
    }
    if (ending.code == ExitCode::kDeviceFault && !stopping_ && !worker.device_failed) {
      worker.device_failed = true;
      options_.warn(concat("worker ", rank,
                           ": its GPU refuses further work; starting it again with ",
                           options_.after_device_fault));
      start(rank);
      return;
    }
    if (ending.worth_a_restart && !stopping_ && worker.restarts < options_.max_restarts) {
      ++worker.restarts;
      options_.warn(concat("worker ", rank, " ", ending.reason, "; restart ", worker.restarts,
                           " of ", options_.max_restarts));
      start(rank);
      return;
    }
    worker.code = ending.code;
    if (ending.worth_a_restart) {
      options_.warn(concat("worker ", rank, " ", ending.reason, " and will not be restarted",
                           workers_.size() > 1 ? "; the other workers take its share" : ""));
    }
    // Unusable input and a full disk affect every worker. If one worker found the set complete,
    // with or without failed images, a hanging worker has nothing left to do.
    if (ending.code == ExitCode::kUsage || ending.code == ExitCode::kOutput ||
        ending.code == ExitCode::kDone || ending.code == ExitCode::kFailed) {
      stop();
    }
  }

  void stop() {
    if (!stopping_) {
      stopping_ = true;
      deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(options_.grace + kMercy));
    }
    send_all(SIGTERM);
  }

  void send_all(int signal) const {
    for (const Worker& worker : workers_) {
      if (worker.pid > 0) {
        ::kill(worker.pid, signal);
      }
    }
  }

  ExitCode verdict() const {
    const auto any = [&](ExitCode code) {
      return std::any_of(workers_.begin(), workers_.end(),
                         [&](const Worker& worker) { return worker.code == code; });
    };
    for (const ExitCode code :
         {ExitCode::kDone, ExitCode::kInterrupted, ExitCode::kOutput, ExitCode::kUsage,
          ExitCode::kFailed, ExitCode::kIncomplete, ExitCode::kDeviceFault}) {
      if (any(code)) {
        return code;
      }
    }
    return ExitCode::kInternal;
  }

  const SupervisorOptions& options_;
  char* const* argv_;
  std::string launch_;
  BlockedSignals signals_;
  std::vector<Worker> workers_;
  Descriptor ready_;
  bool all_started_ = false;
  bool stopping_ = false;
  bool interrupted_ = false;
  Clock::time_point deadline_;
};

}  // namespace

ExitCode supervise(const SupervisorOptions& options, char* const* argv) {
  return Supervisor(options, argv).run();
}

}  // namespace lazymar
