#pragma once
/// What the control groups of this process limit: cgroups(7), versions 1 and 2.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lazymar {

/// Folders of the control groups that a process belongs to, innermost first.
struct ControlGroupFolders {
  bool unified = false;  ///< version 2
  std::vector<std::filesystem::path> folders;
};

/// The control groups of `controller` ("cpu", "memory"), from the texts of /proc/self/cgroup and
/// /proc/self/mountinfo. A container sees its own group as the root of the mount. Version 1 counts
/// if both are there.
ControlGroupFolders control_groups(const std::string& controller, const std::string& cgroup,
                                   const std::string& mountinfo);

/// CPUs by the text of cpu.max, "200000 100000"; empty for "max" and for any other text.
std::optional<double> quota_of(const std::string& cpu_max);

/// The smallest CPU quota among these groups and those around them, in CPUs.
std::optional<double> cpu_quota(const ControlGroupFolders& groups);

/// The bytes that may still be allocated, by the smallest remainder. Memory of files that the
/// kernel can drop does not count as used.
std::optional<int64_t> memory_left(const ControlGroupFolders& groups);

/// Of this process.
ControlGroupFolders own_control_groups(const std::string& controller);

}  // namespace lazymar
