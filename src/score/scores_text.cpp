#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "core/revision.h"
#include "core/text.h"
#include "score/scores.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

constexpr size_t kListed = 5;  ///< names in a line for people; the JSON has them all

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

ordered_json interval_json(const ScoreInterval& interval) {
  return ordered_json::array({interval.first, interval.second});
}

ordered_json health_json(const Health& health) {
  ordered_json corrupt = ordered_json::array();
  for (const auto& [name, reason] : health.corrupt) {
    corrupt.push_back({{"name", name}, {"reason", reason}});
  }
  ordered_json partly_read = ordered_json::array();
  for (const auto& [name, what] : health.partly_read) {
    partly_read.push_back({{"name", name}, {"without", what}});
  }
  ordered_json duplicates = ordered_json::array();
  for (const auto& [name, earlier] : health.duplicates) {
    duplicates.push_back({{"name", name}, {"same_as", earlier}});
  }
  ordered_json classes = ordered_json::object();
  for (const auto& [label, count] : health.classes) {
    classes[std::to_string(label)] = count;
  }
  return {{"good", health.good()},     {"planned", health.planned},   {"images", health.images},
          {"missing", health.missing}, {"corrupt", corrupt},          {"partly_read", partly_read},
          {"changed", health.changed}, {"constant", health.constant}, {"duplicates", duplicates},
          {"images_by_class", classes}};
}

ordered_json difference_json(const ScoreDifference& difference) {
  return {{"difference", difference.value},
          {"interval", interval_json(difference.interval)},
          {"inside_noise", difference.inside_noise}};
}

ordered_json run_difference_json(const RunDifference& found) {
  ordered_json json = {{"baseline", found.baseline},
                       {"baseline_images_sha256", found.baseline_images_sha256},
                       {"pairs", found.pairs}};
  if (found.fid) {
    json["fid"] = difference_json(*found.fid);
  }
  if (found.inception_score) {
    json["inception_score"] = difference_json(*found.inception_score);
  }
  json["sentences"] = found.sentences;
  return json;
}

ordered_json reference_json(const Reference& reference) {
  return {{"source", reference.source},
          {"images", reference.images > 0 ? ordered_json(reference.images) : ordered_json()}};
}

/// "3 corrupt (left out): 00004.png, 00007.png, ..."
template <typename Names, typename Name>
void list(std::string& text, const std::string& what, const Names& names, const Name& name) {
  if (names.empty()) {
    return;
  }
  text += concat("  ", names.size(), " ", what, ": ");
  const size_t shown = std::min(names.size(), kListed);
  for (size_t i = 0; i < shown; ++i) {
    text += concat(i > 0 ? ", " : "", visible(concat(name(names[i]))));
  }
  text += names.size() > shown ? ", ...\n" : "\n";
}

/// A line for each reason, of pairs of a name and a reason.
void list_by_reason(std::string& text, const std::string& what,
                    const std::vector<std::pair<std::string, std::string>>& names) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const auto& [name, reason] : names) {
    by_reason[reason].push_back(name);
  }
  for (const auto& [reason, those] : by_reason) {
    list(text, concat(what, visible(reason)), those, [](const std::string& name) { return name; });
  }
}

std::string class_line(const Health& health) {
  if (health.classes.empty()) {
    return "  class labels unknown: the images carry no metadata\n";
  }
  const auto [least, most] =
      std::minmax_element(health.classes.begin(), health.classes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; });
  return least->second == most->second
             ? concat("  classes: ", health.classes.size(), ", ", most->second, " images each\n")
             : concat("  classes: ", health.classes.size(), ", from ", least->second,
                      " images (class ", least->first, ") to ", most->second, " (class ",
                      most->first, ")\n");
}

std::string cell(const std::optional<Score>& score, int digits) {
  if (!score) {
    return "-";
  }
  std::string text = format("%.*f", digits, score->value);
  if (score->interval) {
    text +=
        format(" (%.*f to %.*f)", digits, score->interval->first, digits, score->interval->second);
  }
  return text;
}

std::string row_text(const std::string& images, const std::string& fid, const std::string& is,
                     const std::string& kid, const std::string& precision,
                     const std::string& recall, const std::string& source) {
  return format("%8s  %-28s  %-28s  %-20s  %9s  %6s  ", images.c_str(), fid.c_str(), is.c_str(),
                kid.c_str(), precision.c_str(), recall.c_str()) +
         source + "\n";
}

std::string run_row(const RunScores& scores) {
  return row_text(
      std::to_string(scores.images), cell(scores.fid, 3), cell(scores.inception_score, 2),
      scores.kid ? format("%.5f +- %.5f", scores.kid->mean, scores.kid->deviation) : "-",
      scores.precision_recall ? format("%.4f", scores.precision_recall->precision) : "-",
      scores.precision_recall ? format("%.4f", scores.precision_recall->recall) : "-",
      scores.source);
}

void add_scores(ordered_json& json, const RunScores& scores) {
  ordered_json intervals = ordered_json::object();
  if (scores.fid) {
    json["fid"] = scores.fid->value;
    json["fid_bias"] = scores.fid->effects.bias;
    json["fid_rank"] = {{"rank", scores.frechet->rank}, {"features", scores.frechet->dim}};
    intervals["fid"] = interval_json(*scores.fid->interval);
  }
  if (scores.inception_score) {
    json["inception_score"] = {{"mean", scores.inception_score->value},
                               {"deviation", scores.inception_deviation}};
    intervals["inception_score"] = interval_json(*scores.inception_score->interval);
  }
  json["intervals"] = intervals;
  if (scores.kid) {
    json["kid"] = {{"mean", scores.kid->mean}, {"deviation", scores.kid->deviation}};
  }
  if (scores.precision_recall) {
    json["precision"] = scores.precision_recall->precision;
    json["recall"] = scores.precision_recall->recall;
  }
}

}  // namespace

ordered_json scores_json(const RunScores& scores, const FeatureTable& table,
                         const ExtractorId& extractor, const Reference* reference,
                         const std::optional<RunDifference>& difference) {
  ordered_json json = {{"source", scores.source},
                       {"images", scores.images},
                       {"complete", table.health.images == table.health.planned},
                       {"health", health_json(table.health)}};
  add_scores(json, scores);
  if (difference) {
    json["against"] = run_difference_json(*difference);
  }
  json["notes"] = scores.notes;
  json["reference"] = reference != nullptr ? reference_json(*reference) : ordered_json();
  json["extractor"] = {{"name", extractor.name}, {"weights_sha256", extractor.weights_sha256}};
  json["images_sha256"] = scores.images_sha256;
  json["features_reused"] = table.reused;
  json["extraction_seconds"] = table.seconds;
  json["version"] = version_string();
  return json;
}

std::string health_text(const std::string& source, const FeatureTable& table) {
  const Health& health = table.health;
  std::string text = concat(source, ": ", health.images, " images");
  if (health.images != health.planned) {
    text += concat(" of ", health.planned);
  }
  text += health.good() ? ", no missing, damaged, blank or duplicate images\n" : "\n";
  const auto number = [](int64_t id) { return id; };
  const auto name = [](const std::string& one) { return one; };
  list(text, "missing", health.missing, number);
  list_by_reason(text, "left out, ", health.corrupt);
  list_by_reason(text, "read without ", health.partly_read);
  list(text, "different from the run's journal", health.changed, name);
  list(text, "blank (a single colour)", health.constant, name);
  list(text, "duplicate", health.duplicates,
       [](const auto& d) { return concat(d.first, " = ", d.second); });
  text += class_line(health);
  if (table.reused > 0) {
    text += concat("  ", table.reused, " images had saved features\n");
  }
  return text;
}

std::string scores_text(const std::vector<RunScores>& scores,
                        const std::vector<RunDifference>& differences) {
  std::string text = row_text("images", "FID (95 %)", "Inception Score (95 %)", "KID", "precision",
                              "recall", "set");
  for (const RunScores& run : scores) {
    text += run_row(run);
  }
  for (const RunScores& run : scores) {
    text += concat(run.source, ":\n");
    if (run.fid && !run.frechet->rank_deficient()) {
      text += concat("  about ", format("%.3f", run.fid->effects.bias),
                     " of its FID is the bias of a set of ", run.images, " images\n");
    }
    for (const std::string& note : run.notes) {
      text += concat("  ", note, "\n");
    }
  }
  for (const RunDifference& difference : differences) {
    text += concat(difference.run, " against ", difference.baseline, ", ", difference.pairs,
                   " pairs:\n");
    for (const std::string& sentence : difference.sentences) {
      text += concat("  ", sentence, "\n");
    }
  }
  return text;
}

}  // namespace lazymar
