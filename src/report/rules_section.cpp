#include <cstdio>

#include "core/error.h"
#include "report/html.h"
#include "report/numbers.h"
#include "report/sections.h"

namespace lazymar {
namespace {

constexpr int64_t kAll = -1;

RuleCount count_of(const RunRules& run, int64_t label) {
  return label == kAll ? run.count() : run.count(label);
}

std::string share_cell(const RuleCount& count) {
  if (count.images == 0) {
    return "-";
  }
  const auto [low, high] = count.interval();
  return concat(percent(static_cast<double>(count.passes) / static_cast<double>(count.images)),
                " (", number_text(100 * low, 1), " to ", number_text(100 * high, 1), ")");
}

std::string class_row(const Comparison& comparison, int64_t label) {
  std::vector<std::string> row = {
      label == kAll ? "all" : std::string(kRuleClasses[static_cast<size_t>(label)])};
  for (const RunRules& run : comparison.rules) {
    row.push_back(share_cell(count_of(run, label)));
  }
  return cells("td", row);
}

/// How the pairs with the baseline split, a line for each run.
std::string splits(const Comparison& comparison) {
  std::string lines;
  for (size_t i = 1; i < comparison.rules.size(); ++i) {
    const RulePairs pairs = pair_rules(comparison.rules.front(), comparison.rules[i]);
    char probability[32];
    std::snprintf(probability, sizeof probability, "%.2g", pairs.probability());
    lines += concat("<p>", escape_html(comparison.runs[i].label), ": ", pairs.only_baseline,
                    " pairs in which only the baseline keeps its rule, ", pairs.only_run,
                    " in which only this run does (McNemar, p = ", probability, ").</p>");
  }
  return lines;
}

}  // namespace

std::string rules_section(const Comparison& comparison) {
  if (comparison.rules.empty()) {
    return "";
  }
  std::vector<std::string> header = {"Class"};
  for (const RunData& run : comparison.runs) {
    header.push_back(escape_html(run.label));
  }
  std::string rows = cells("th", header);
  for (int64_t label = 0; label < static_cast<int64_t>(kRuleClasses.size()); ++label) {
    rows += class_row(comparison, label);
  }
  rows += class_row(comparison, kAll);
  return section("rules", "Images that keep their class's rule",
                 "<div class=\"scroll\"><table>" + rows + "</table></div>" + splits(comparison) +
                     "<p class=\"faint\">In brackets: exact 95 % intervals.</p>");
}

}  // namespace lazymar
