#pragma once
/// Process names that are valid across processes and hosts.

#include <cstdint>
#include <string>

namespace lazymar {

/// Unique despite the reuse of PIDs: host, boot, PID namespace, PID and the time of its start.
struct ProcessId {
  std::string host;
  std::string machine;  ///< boot and PID namespace: processes with equal ones see each other
  int64_t pid = 0;
  int64_t started = 0;  ///< clock ticks after the boot

  bool operator==(const ProcessId&) const = default;
};

ProcessId this_process();

/// Seconds since this process was started.
double process_age();

/// "host pid 123": for messages.
std::string to_string(const ProcessId& process);

/// One line that parse_process_id() reads.
std::string encode(const ProcessId& process);
/// Empty if the text is not a ProcessId.
ProcessId parse_process_id(const std::string& text);

/// True if both run on one machine, containers on it included: they share its processors.
bool same_boot(const ProcessId& one, const ProcessId& other);

enum class Liveness {
  kAlive,
  kDead,
  kUnknown,  ///< on another host or not visible: only heartbeats show if it lives
};
Liveness liveness(const ProcessId& process);

}  // namespace lazymar
