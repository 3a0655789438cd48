#include "run/fault_injection.h"

#include <fcntl.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <regex>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "files/descriptor.h"

namespace lazymar {
namespace {

struct KindName {
  const char* name;
  const char* place;
  FaultKind kind;
};
constexpr KindName kKinds[] = {
    {"oom", "shard", FaultKind::kOutOfMemory}, {"device", "shard", FaultKind::kDevice},
    {"sticky", "shard", FaultKind::kSticky},   {"kill", "shard", FaultKind::kKill},
    {"term", "shard", FaultKind::kTerminate},  {"stall", "shard", FaultKind::kStall},
    {"full", "shard", FaultKind::kDiskFull},   {"nan", "image", FaultKind::kNan},
    {"flat", "image", FaultKind::kConstant},
};

}  // namespace

FaultInjection::FaultInjection(const std::string& specification, std::filesystem::path marks)
    : marks_(std::move(marks)) {
  static const std::regex kPattern(R"((\w+)@(\w+):(\d{1,9})(\*(\d{0,9}))?)");
  std::istringstream parts(specification);
  for (std::string part; std::getline(parts, part, ',');) {
    std::smatch match;
    const bool fits = std::regex_match(part, match, kPattern);
    const auto* const found =
        std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindName& kind) {
          return fits && match[1] == kind.name && match[2] == kind.place;
        });
    if (found == std::end(kKinds)) {
      throw usage_error(
          kFaultVariable, "=", part,
          ": use oom, device, sticky, kill, term, stall or full @shard:N, or nan or flat ",
          "@image:N; append *TIMES to repeat it");
    }
    const int64_t times = !match[4].matched       ? 1
                          : match[5].length() > 0 ? std::stoll(match[5])
                                                  : std::numeric_limits<int64_t>::max();
    faults_.push_back({found->kind, std::stoll(match[3]), times});
  }
}

bool FaultInjection::strikes(FaultKind kind, int64_t number) const {
  for (const Fault& fault : faults_) {
    if (fault.kind != kind || fault.number != number) {
      continue;
    }
    if (fault.times == std::numeric_limits<int64_t>::max()) {
      return true;
    }
    for (int64_t time = 0; time < fault.times; ++time) {
      const auto mark = marks_ / concat(static_cast<int>(kind), ".", number, ".", time);
      if (Descriptor(::open(mark.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666))
              .number() >= 0) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace lazymar
