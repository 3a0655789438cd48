#include "doctor/doctor.h"

#include <algorithm>
#include <cstdio>

#include "core/error.h"
#include "core/text.h"
#include "doctor/findings.h"
#include "doctor/machine.h"
#include "doctor/weights_found.h"
#include "files/environment.h"

namespace lazymar {

ExitCode examine(const DoctorOptions& options) {
  Findings findings;
  examine_build(options, findings);
  examine_launcher(own_environment, findings);
  examine_room(options, findings);
  examine_weights(options, findings);
  size_t widest = 0;
  for (const auto& [name, value] : findings.facts) {
    widest = std::max(widest, name.size());
  }
  for (const auto& [name, value] : findings.facts) {
    std::printf("%-*s  %s\n", static_cast<int>(widest), name.c_str(), visible(value).c_str());
  }
  for (const std::string& problem : findings.problems) {
    std::printf("PROBLEM: %s\n", visible(problem).c_str());
  }
  std::puts(findings.problems.empty() ? "Nothing found that would stop a run."
                                      : "A run would stop; see above.");
  return findings.problems.empty() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace lazymar
