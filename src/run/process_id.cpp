#include "run/process_id.h"

#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "core/error.h"
#include "files/text_file.h"

namespace lazymar {
namespace {

/// State letter and start time of a process, from /proc/<pid>/stat (proc(5)): fields 3 and 22.
struct ProcessState {
  char state = 0;  ///< 0 if there is none
  int64_t started = 0;
};

ProcessState state_of(int64_t pid) {
  const std::string stat = first_line(concat("/proc/", pid, "/stat"));
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return {};
  }
  std::istringstream fields(stat.substr(name_end + 1));
  ProcessState state;
  fields >> state.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) {
    fields >> skipped;
  }
  fields >> state.started;
  return state;
}

std::string machine_name() {
  std::error_code ignored;
  return first_line("/proc/sys/kernel/random/boot_id") + "/" +
         std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
}

}  // namespace

ProcessId this_process() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return {host, machine_name(), ::getpid(), state_of(::getpid()).started};
}

double process_age() {
  const double uptime = std::stod("0" + first_line("/proc/uptime"));
  return uptime - static_cast<double>(state_of(::getpid()).started) /
                      static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string to_string(const ProcessId& process) {
  return concat(process.host, " pid ", process.pid);
}

std::string encode(const ProcessId& process) {
  return concat(process.pid, " ", process.started, " ", process.machine, " ", process.host);
}

ProcessId parse_process_id(const std::string& text) {
  std::istringstream in(text);
  ProcessId process;
  in >> process.pid >> process.started >> process.machine >> process.host;
  return in ? process : ProcessId{};
}

bool same_boot(const ProcessId& one, const ProcessId& other) {
  const auto boot = [](const ProcessId& process) {
    return process.machine.substr(0, process.machine.find('/'));
  };
  return boot(one) == boot(other);
}

Liveness liveness(const ProcessId& process) {
  if (process.machine != machine_name()) {
    return Liveness::kUnknown;
  }
  const ProcessState state = state_of(process.pid);
  const bool running = state.state != 0 && state.state != 'Z' && state.state != 'X';
  return running && state.started == process.started ? Liveness::kAlive : Liveness::kDead;
}

}  // namespace lazymar
