#include "files/control_group.h"

#include <algorithm>
#include <sstream>

#include "core/text.h"
#include "files/text_file.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

/// Version 1 writes "no limit" as the largest multiple of the page size.
constexpr int64_t kNoLimit = int64_t{1} << 60;

bool contains_word(const std::string& words, const std::string& word) {
  const std::vector<std::string> parts = split(words, ',');
  return std::find(parts.begin(), parts.end(), word) != parts.end();
}

/// A mounted hierarchy of control groups.
struct Mount {
  std::string root;  ///< the group at the mount's top
  fs::path folder;
};

/// proc(5): "36 35 98:0 /root /mount/point options optional... - type source super_options".
std::optional<Mount> find_mount(const std::string& mountinfo, const std::string& type,
                                const std::string& option) {
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) {
      continue;
    }
    std::istringstream front(line.substr(0, dash));
    std::istringstream back(line.substr(dash + 3));
    std::string skipped, root, folder, kind, source, options;
    front >> skipped >> skipped >> skipped >> root >> folder;
    back >> kind >> source >> options;
    if (kind == type && (option.empty() || contains_word(options, option))) {
      return Mount{root, folder};
    }
  }
  return std::nullopt;
}

/// The path of the group, by a line "4:cpu,cpuacct:/group" or, for no controller, "0::/group".
std::optional<std::string> group_of(const std::string& cgroup, const std::string& controller) {
  std::istringstream lines(cgroup);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : contains_word(controllers, controller)) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

std::vector<fs::path> folders_of(const Mount& mount, const std::string& group) {
  const bool below = group.starts_with(mount.root == "/" ? "/" : mount.root + "/");
  const std::string rest = mount.root == "/" ? group : below ? group.substr(mount.root.size()) : "";
  std::vector<fs::path> folders;
  const fs::path relative = fs::path(rest).relative_path();
  for (fs::path part = relative; !part.empty(); part = part.parent_path()) {
    folders.push_back(mount.folder / part);
  }
  folders.push_back(mount.folder);
  return folders;
}

std::optional<int64_t> number_in(const fs::path& file) {
  std::istringstream text(first_line(file));
  int64_t number = 0;
  return text >> number ? std::optional(number) : std::nullopt;
}

/// The value of "key value" in memory.stat; 0 if missing.
int64_t statistic(const fs::path& file, const std::string& key) {
  std::istringstream text(read_text(file));
  std::string name;
  for (int64_t value = 0; text >> name >> value;) {
    if (name == key) {
      return value;
    }
  }
  return 0;
}

std::optional<double> quota_in(const fs::path& folder, bool unified) {
  if (unified) {
    return quota_of(first_line(folder / "cpu.max"));
  }
  const auto quota = number_in(folder / "cpu.cfs_quota_us");
  const auto period = number_in(folder / "cpu.cfs_period_us");
  return quota && period ? quota_of(std::to_string(*quota) + " " + std::to_string(*period))
                         : std::nullopt;
}

}  // namespace

ControlGroupFolders control_groups(const std::string& controller, const std::string& cgroup,
                                   const std::string& mountinfo) {
  const auto group = group_of(cgroup, controller);
  const auto mount = find_mount(mountinfo, "cgroup", controller);
  if (group && mount) {
    return {false, folders_of(*mount, *group)};
  }
  const auto unified_group = group_of(cgroup, "");
  const auto unified_mount = find_mount(mountinfo, "cgroup2", "");
  if (unified_group && unified_mount) {
    return {true, folders_of(*unified_mount, *unified_group)};
  }
  return {};
}

std::optional<double> quota_of(const std::string& cpu_max) {
  std::istringstream text(cpu_max);
  double quota = 0;
  double period = 0;
  return text >> quota >> period && quota > 0 && period > 0 ? std::optional(quota / period)
                                                            : std::nullopt;
}

std::optional<double> cpu_quota(const ControlGroupFolders& groups) {
  std::optional<double> least;
  for (const fs::path& folder : groups.folders) {
    if (const auto quota = quota_in(folder, groups.unified)) {
      least = std::min(least.value_or(*quota), *quota);
    }
  }
  return least;
}

std::optional<int64_t> memory_left(const ControlGroupFolders& groups) {
  const char* const limit_file = groups.unified ? "memory.max" : "memory.limit_in_bytes";
  const char* const usage_file = groups.unified ? "memory.current" : "memory.usage_in_bytes";
  const char* const droppable = groups.unified ? "inactive_file" : "total_inactive_file";
  std::optional<int64_t> least;
  for (const fs::path& folder : groups.folders) {
    const auto limit = number_in(folder / limit_file);
    const auto usage = number_in(folder / usage_file);
    if (limit && usage && *limit < kNoLimit) {
      const int64_t used = *usage - statistic(folder / "memory.stat", droppable);
      const int64_t left = std::max<int64_t>(0, *limit - std::max<int64_t>(0, used));
      least = std::min(least.value_or(left), left);
    }
  }
  return least;
}

ControlGroupFolders own_control_groups(const std::string& controller) {
  return control_groups(controller, read_text("/proc/self/cgroup"),
                        read_text("/proc/self/mountinfo"));
}

}  // namespace lazymar
