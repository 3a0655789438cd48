#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "files/atomic_file.h"
#include "rules/run_rules.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

std::string share_text(const RuleCount& count) {
  if (count.images == 0) {
    return "-";
  }
  char text[64];
  const auto [low, high] = count.interval();
  std::snprintf(text, sizeof text, "%5.1f %% (%.1f to %.1f)",
                100.0 * static_cast<double>(count.passes) / static_cast<double>(count.images),
                100 * low, 100 * high);
  return text;
}

std::string row(const std::string& name, const std::vector<std::string>& values) {
  char cell[64];
  std::snprintf(cell, sizeof cell, "%-9s", name.c_str());
  std::string text = cell;
  for (const std::string& value : values) {
    std::snprintf(cell, sizeof cell, "  %-24s", value.c_str());
    text += cell;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string pairs_text(const RulePairs& pairs) {
  const int64_t count = pairs.both + pairs.only_baseline + pairs.only_run + pairs.neither;
  char probability[32];
  std::snprintf(probability, sizeof probability, "%.2g", pairs.probability());
  return concat(count, " pairs; passes in run 0 alone ", pairs.only_baseline, ", here alone ",
                pairs.only_run, " (McNemar, p = ", probability, ")");
}

ordered_json count_json(const RuleCount& count) {
  const auto [low, high] = count.interval();
  return {{"images", count.images},
          {"passes", count.passes},
          {"interval", {low, high}},
          {"mean_score", count.score}};
}

}  // namespace

std::string rules_text(const std::vector<RunRules>& runs) {
  std::string text = "Images that keep their class's rule, with exact 95 % intervals:\n";
  std::vector<std::string> names;
  names.reserve(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    names.push_back(concat("run ", i));
  }
  text += row("class", names);
  for (size_t label = 0; label <= kRuleClasses.size(); ++label) {
    const bool all = label == kRuleClasses.size();
    std::vector<std::string> values;
    values.reserve(runs.size());
    for (const RunRules& run : runs) {
      values.push_back(share_text(all ? run.count() : run.count(static_cast<int64_t>(label))));
    }
    text += row(all ? "all" : std::string(kRuleClasses[label]), values);
  }
  for (size_t i = 0; i < runs.size(); ++i) {
    text += concat("run ", i, ": ", runs[i].label, ", ", runs[i].images.size(), " images");
    text += i == 0 ? "\n" : "; " + pairs_text(pair_rules(runs.front(), runs[i])) + "\n";
  }
  return text;
}

ordered_json rules_json(const RunRules& run, const RunRules* baseline) {
  ordered_json classes = ordered_json::object();
  for (size_t label = 0; label < kRuleClasses.size(); ++label) {
    const RuleCount count = run.count(static_cast<int64_t>(label));
    if (count.images > 0) {
      classes[std::string(kRuleClasses[label])] = count_json(count);
    }
  }
  ordered_json failed = ordered_json::array();
  for (const ImageRule& image : run.images) {
    if (!image.check.pass) {
      failed.push_back({{"id", image.id},
                        {"class", kRuleClasses[static_cast<size_t>(image.label)]},
                        {"broken_tokens", image.check.broken}});
    }
  }
  ordered_json json = {{"run", run.label},
                       {"all", count_json(run.count())},
                       {"classes", classes},
                       {"failed", failed}};
  if (baseline != nullptr) {
    const RulePairs pairs = pair_rules(*baseline, run);
    json["against"] = {{"baseline", baseline->label},
                       {"both_pass", pairs.both},
                       {"only_baseline_passes", pairs.only_baseline},
                       {"only_run_passes", pairs.only_run},
                       {"neither_passes", pairs.neither},
                       {"mcnemar_probability", pairs.probability()}};
  }
  return json;
}

void leave_rules(const std::filesystem::path& run, const ordered_json& json) {
  write_text_atomically(run / "info" / "rules.json", json.dump(2) + "\n");
}

}  // namespace lazymar
