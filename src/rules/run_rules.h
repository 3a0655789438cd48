#pragma once
/// The rules of a run's images: passes by class, and comparisons of runs.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/rules.h"
#include "run/run_data.h"

namespace lazymar {

struct ImageRule {
  int64_t id = 0, label = 0;
  RuleCheck check;
};

struct RuleCount {
  int64_t images = 0, passes = 0;
  double score = 0;  ///< mean over the images

  /// Exact 95 % interval of the share of passes; images > 0.
  std::pair<double, double> interval() const;
};

struct RunRules {
  std::string label;              ///< the run's
  std::vector<ImageRule> images;  ///< by id

  /// Passes of one class, or of all of them.
  RuleCount count(std::optional<int64_t> wanted = std::nullopt) const;
  /// Null if the run has no such image.
  const ImageRule* find(int64_t id) const;
};

/// Passes of the images that two runs share: of the same id and class.
struct RulePairs {
  int64_t both = 0, only_baseline = 0, only_run = 0, neither = 0;

  /// McNemar's exact test: probability of such a split if both runs pass equally often.
  double probability() const;
};

/// True if the run's model is the one whose pictures have rules.
bool has_rules(const RunData& run);

/// Checks all finished images on `threads` threads. Classes come from the manifest. Throws Error
/// (usage) if an image cannot be decoded, or its size or class has no rules.
RunRules check_run(const RunData& run, int64_t threads);

RulePairs pair_rules(const RunRules& baseline, const RunRules& run);

/// True if an image keeps its rule in the baseline and breaks it in the run.
bool breaks_rule(const RunRules& baseline, const RunRules& run, int64_t id);

/// Passes by class for a terminal; later runs are also compared with the first.
std::string rules_text(const std::vector<RunRules>& runs);

/// The same for scripts, and the images that fail. `baseline` may be null.
nlohmann::ordered_json rules_json(const RunRules& run, const RunRules* baseline);

/// Writes info/rules.json of a run folder, atomically. Throws Error (output).
void leave_rules(const std::filesystem::path& run, const nlohmann::ordered_json& json);

}  // namespace lazymar
