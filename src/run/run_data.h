#pragma once
/// A finished or unfinished run, read from its folder. Nothing in the folder is changed.

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/png.h"
#include "run/journal.h"
#include "run/shard_plan.h"

namespace lazymar {

using Interval = std::pair<double, double>;

/// info/scores.json, as far as present.
struct Scores {
  std::optional<double> fid, inception_score, inception_deviation;
  std::optional<Interval> fid_interval, inception_interval;
  std::string images_sha256;  ///< identifies the set that was scored
  // What lazymar_score found when it compared this run with another one.
  std::string baseline_sha256;  ///< images_sha256 of that one
  std::optional<double> fid_difference;
  std::optional<Interval> fid_difference_interval;
  std::vector<std::string> sentences;  ///< what the differences mean

  /// True if the differences are those from `baseline`.
  bool against(const Scores& baseline) const {
    return !baseline_sha256.empty() && baseline_sha256 == baseline.images_sha256;
  }
};

/// Rows through transformer blocks and through blocks of the head, per image.
struct RowCounts {
  int64_t transformer = 0, head = 0;
};

struct RunData {
  std::filesystem::path folder;
  std::string label;                ///< the folder's name, or more of its path (see label_runs())
  nlohmann::ordered_json settings;  ///< the manifest's
  nlohmann::ordered_json weights;   ///< the manifest's hashes; null if it has none
  bool on_gpu = false;
  ShardPlan plan{1, 1};
  std::vector<ShardRecord> shards;    ///< finished ones, by number
  std::map<int64_t, int64_t> images;  ///< id -> shard
  std::string step_kinds;  ///< 'F' or 'L' by decoding step; empty if the summary has none
  std::optional<RowCounts> total_rows;  ///< what plain MAR computes
  Scores scores;

  bool lazy() const { return !settings.value("lazy_mar", nlohmann::ordered_json()).is_null(); }
  bool complete() const { return static_cast<int64_t>(images.size()) == plan.num_images(); }
  /// The PNG of an image. Throws Error (usage) if it cannot be read.
  std::vector<std::byte> png(int64_t id) const;
};

/// Reads a run folder: manifest and journals; summary and scores if present. Throws Error (usage)
/// if it is not a run folder, the manifest is damaged, or there is no image.
RunData read_run(const std::filesystem::path& folder);

/// What read_run takes from the texts of info/scores.json and info/summary.json; damaged ones
/// count as missing.
Scores parse_scores(std::string_view text);
void add_summary(std::string_view text, RunData& run);

/// "holds 2 run folders: name one (a, b)", of their names in any order; the first ones if they are
/// many.
std::string held_runs_text(std::vector<std::string> names);

/// Gives every run a unique label: the shortest sufficient end of its path.
void label_runs(std::vector<RunData>& runs);

}  // namespace lazymar
