#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "report/charts.h"
#include "report/heat_map.h"
#include "report/html.h"
#include "report/sections.h"

namespace lazymar {
namespace {

struct NamedMap {
  const char* title;
  const ChangeMap* map;
};

std::string maps(const std::vector<NamedMap>& named) {
  std::string figures;
  for (const auto& [title, map] : named) {
    figures +=
        concat("<figure>", heat_map(*map, title), "<figcaption>", title, "</figcaption></figure>");
  }
  return "<div class=\"maps\">" + figures + "</div>";
}

/// Lines over the steps, with a legend.
std::string lines(const Redundancy& redundancy) {
  std::vector<NamedMap> named{{"known tokens", &redundancy.known},
                              {"masked tokens", &redundancy.masked},
                              {"tokens just decoded", &redundancy.fresh}};
  if (redundancy.difference) {
    named.push_back({"guidance difference", &*redundancy.difference});
  }
  std::string key;
  std::vector<const ChangeMap*> curves;
  for (size_t i = 0; i < named.size(); ++i) {
    key += concat("<span class=\"key c", i, "\"></span>", named[i].title);
    curves.push_back(named[i].map);
  }
  return "<p class=\"faint\">" + key + "</p>" + change_chart(curves);
}

std::string suggestion_part(const Comparison& comparison) {
  if (!comparison.suggestion) {
    return "";
  }
  const Suggestion& suggestion = *comparison.suggestion;
  std::string kinds;
  std::vector<double> percents;
  for (size_t step = 0; step < suggestion.shares.size(); ++step) {
    kinds += comparison.suggestion_for.lazy_step(static_cast<int64_t>(step)) ? 'L' : 'F';
    percents.push_back(100 * suggestion.shares[step]);
  }
  return concat(
      "<h3>Suggested schedule</h3><p>Rows that each step has to recompute so that every other row "
      "stays within ",
      percent(suggestion.tolerance), " of its last computed output:</p>",
      step_chart(percents, kinds, {}, "% of the rows"), "<pre class=\"wrap\">--lazy_warmup ",
      comparison.suggestion_for.warmup, " --lazy_refresh ", comparison.suggestion_for.refresh,
      " --lazy_retain ", suggestion.list(), "</pre>");
}

}  // namespace

std::string redundancy_section(const Comparison& comparison) {
  if (!comparison.redundancy) {
    return "";
  }
  const Redundancy& redundancy = *comparison.redundancy;
  std::string text;
  for (const std::string& sentence : redundancy_text(redundancy)) {
    text += "<li>" + escape_html(sentence) + "</li>";
  }
  std::vector<NamedMap> outputs{{"Known tokens: known at i and at j", &redundancy.known},
                                {"Masked tokens: masked at i and at j", &redundancy.masked},
                                {"Newly decoded: masked at i, known at j", &redundancy.fresh}};
  if (redundancy.difference) {
    outputs.push_back(
        {"Guidance difference (unconditional - conditional) of the tokens to be predicted at j",
         &*redundancy.difference});
  }
  const std::vector<NamedMap> others{
      {"Outputs of the tokens to be predicted at j", &redundancy.predicted},
      {"Buffer rows (not tokens)", &redundancy.buffer},
      {"LazyMAR's values, known tokens", &redundancy.values_known},
      {"LazyMAR's values, masked tokens", &redundancy.values_masked},
      {"LazyMAR's values, newly decoded", &redundancy.values_fresh}};
  return section(
      "redundancy", "What changes between decoding steps",
      concat(
          "<ul>", text, "</ul><p class=\"faint\">Plain MAR, ", redundancy.images,
          redundancy.images == 1 ? " image" : " images",
          ". Change of a feature f from step i to step j: |f(j) - f(i)| / |f(i)|, mean over tokens "
          "and images; f is the decoder's last output, conditional half. LazyMAR computes "
          "tokens just decoded and those to be predicted in every step.</p>",
          lines(redundancy), "<h3>Every pair of steps</h3>", maps(outputs),
          "<details><summary>More maps: other outputs, and the values V that LazyMAR compares "
          "(decoder layer ",
          redundancy.header.value_layer, ")</summary>", maps(others), "</details>",
          suggestion_part(comparison)));
}

}  // namespace lazymar
