#include "run/run_data.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "files/missing_path.h"
#include "run/checked_files.h"
#include "run/image_files.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// The value at a path such as "/steps/full"; null if missing.
ordered_json value_at(const ordered_json& json, const char* path) {
  const ordered_json::json_pointer pointer(path);
  return json.contains(pointer) ? json.at(pointer) : ordered_json();
}

std::optional<double> number_at(const ordered_json& json, const char* path) {
  const ordered_json value = value_at(json, path);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<Interval> interval_at(const ordered_json& json, const char* path) {
  const ordered_json value = value_at(json, path);
  if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number()) {
    return std::nullopt;
  }
  return Interval(value[0].get<double>(), value[1].get<double>());
}

std::string text_at(const ordered_json& json, const char* path) {
  const ordered_json value = value_at(json, path);
  return value.is_string() ? value.get<std::string>() : "";
}

/// Names of the run folders directly below a folder.
std::vector<std::string> runs_below(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (fs::exists(entry.path() / "info" / "manifest.json", ignored)) {
      names.push_back(entry.path().filename().string());
    }
  }
  return names;
}

ordered_json read_manifest(const fs::path& folder) {
  const fs::path path = folder / "info" / "manifest.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    if (const std::vector<std::string> runs = runs_below(folder); !runs.empty()) {
      throw usage_error(folder.string(), ": ", held_runs_text(runs));
    }
    if (!fs::exists(folder, ignored)) {
      throw usage_error(folder.string(), ": not found", meant_from_here(folder));
    }
    throw usage_error(folder.string(), ": not a run folder: info/manifest.json not found",
                      "; lazymar_eval prints its run folder at the end");
  }
  const std::optional<ordered_json> manifest = read_manifest_file(folder);
  const auto has_count = [&](const char* name) {
    constexpr int64_t kMost = int64_t{1} << 31;
    return integer_in(manifest->at("settings"), name, 1, kMost).has_value();
  };
  if (!manifest) {
    throw usage_error(path.string(),
                      ": damaged: not the settings of a run; see docs/run-folder.md");
  }
  if (!has_count("num_images") || !has_count("eval_bsz")) {
    throw usage_error(path.string(), ": damaged: num_images or eval_bsz is missing");
  }
  return *manifest;
}

void read_shards(RunData& run) {
  JournalReader journal(run.folder / "info", run.plan);
  try {
    journal.refresh();
  } catch (const fs::filesystem_error& error) {
    throw usage_error(run.folder.string(), ": cannot be read: ", error.code().message());
  }
  for (const ShardRecord* record : journal.finished()) {
    for (const ImageRecord& image : record->images) {
      run.images[image.id] = record->shard;
    }
    run.shards.push_back(*record);
  }
  if (run.images.empty()) {
    throw usage_error(run.folder.string(),
                      ": no finished images in info/journal.*.jsonl; resume lazymar_eval first");
  }
}

/// The last `parts` names of a path.
std::string path_end(const fs::path& path, size_t parts) {
  const std::vector<fs::path> names(path.begin(), path.end());
  fs::path end;
  for (size_t i = names.size() - std::min(parts, names.size()); i < names.size(); ++i) {
    end /= names[i];
  }
  return end.string();
}

}  // namespace

std::string held_runs_text(std::vector<std::string> names) {
  constexpr size_t kListed = 5;
  const size_t count = names.size();
  std::sort(names.begin(), names.end());
  if (count > kListed) {
    names.resize(kListed);
    names.emplace_back("...");
  }
  return concat("holds ", count, count == 1 ? " run folder: name it (" : " run folders: name one (",
                visible(join(names, ", ")), ")");
}

std::vector<std::byte> RunData::png(int64_t id) const {
  return read_image(folder, settings.value("few_files", ordered_json()) == true, images.at(id), id);
}

Scores parse_scores(std::string_view text) {
  const ordered_json json = parse_run_object(text).value_or(ordered_json::object());
  std::vector<std::string> sentences;
  for (const ordered_json& sentence : value_at(json, "/against/sentences")) {
    sentences.push_back(sentence.is_string() ? sentence.get<std::string>() : sentence.dump());
  }
  return {number_at(json, "/fid"),
          number_at(json, "/inception_score/mean"),
          number_at(json, "/inception_score/deviation"),
          interval_at(json, "/intervals/fid"),
          interval_at(json, "/intervals/inception_score"),
          text_at(json, "/images_sha256"),
          text_at(json, "/against/baseline_images_sha256"),
          number_at(json, "/against/fid/difference"),
          interval_at(json, "/against/fid/interval"),
          sentences};
}

void add_summary(std::string_view text, RunData& run) {
  const ordered_json summary = parse_run_object(text).value_or(ordered_json::object());
  const ordered_json kinds = value_at(summary, "/steps/kinds");
  if (kinds.is_string()) {
    run.step_kinds = kinds.get<std::string>();
  }
  constexpr int64_t kMost = int64_t{1} << 62;
  const auto rows = [&](const char* network) {
    const ordered_json counts = value_at(summary, network);
    return counts.is_object() ? integer_in(counts, "total", 0, kMost) : std::nullopt;
  };
  const std::optional<int64_t> transformer = rows("/rows_per_image/transformer");
  const std::optional<int64_t> head = rows("/rows_per_image/head");
  if (transformer && head) {
    run.total_rows = {*transformer, *head};
  }
  const ordered_json device = value_at(summary, "/settings/device");
  run.on_gpu = device.is_string() && device.get<std::string>().starts_with("cuda");
}

RunData read_run(const fs::path& folder) {
  RunData run;
  run.folder = folder.lexically_normal();
  if (!run.folder.has_filename()) {  // a slash at the end
    run.folder = run.folder.parent_path();
  }
  check_run_files(run.folder);
  const ordered_json manifest = read_manifest(run.folder);
  run.settings = manifest.at("settings");
  run.weights = value_at(manifest, "/weights_sha256");
  run.plan = ShardPlan(run.settings.at("num_images"), run.settings.at("eval_bsz"));
  run.label = run.folder.filename().string();
  read_shards(run);
  const fs::path info = run.folder / "info";
  add_summary(read_run_text(info / "summary.json"), run);
  run.scores = parse_scores(read_run_text(info / "scores.json"));
  return run;
}

void label_runs(std::vector<RunData>& runs) {
  constexpr size_t kMostParts = 8;
  for (size_t parts = 1; parts <= kMostParts; ++parts) {
    std::set<std::string> labels;
    for (RunData& run : runs) {
      labels.insert(run.label = path_end(run.folder, parts));
    }
    if (labels.size() == runs.size()) {
      return;
    }
  }
}

}  // namespace lazymar
