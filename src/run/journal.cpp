#include "run/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <regex>

#include "core/error.h"
#include "files/text_file.h"

namespace lazymar {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// Two lists, in whole microseconds, to keep the lines short.
ordered_json steps_json(const std::vector<StepCost>& steps) {
  constexpr double kMicroseconds = 1e6;
  ordered_json seconds = ordered_json::array();
  ordered_json flops = ordered_json::array();
  for (const StepCost& step : steps) {
    seconds.push_back(std::round(step.seconds * kMicroseconds) / kMicroseconds);
    flops.push_back(step.flops);
  }
  return {{"seconds", seconds}, {"flops", flops}};
}

std::vector<StepCost> steps_from(const json& lists) {
  const auto seconds = lists.at("seconds").get<std::vector<double>>();
  const auto flops = lists.at("flops").get<std::vector<int64_t>>();
  std::vector<StepCost> steps;
  for (size_t i = 0; i < std::min(seconds.size(), flops.size()); ++i) {
    steps.push_back({seconds[i], flops[i]});
  }
  return steps;
}

/// Release 0.1.0 called a shard "block", and files still do: run folders of both resume.
ordered_json to_json(const ShardRecord& record) {
  ordered_json images = ordered_json::array();
  for (const ImageRecord& image : record.images) {
    images.push_back({{"id", image.id}, {"bytes", image.bytes}, {"sha256", image.sha256}});
  }
  const StageSeconds& s = record.seconds;
  ordered_json line = {{"block", record.shard}, {"attempt", record.attempt}, {"images", images}};
  if (!record.failed.empty()) {
    line["failed"] = record.failed;
  }
  if (!record.recomputed.empty()) {
    line["recomputed"] = record.recomputed;
  }
  if (record.micro_batch) {
    line["micro_batch"] = *record.micro_batch;
  }
  if (!record.computed_by.empty()) {
    line["computed_by"] = record.computed_by;
  }
  line.update({{"rank", record.rank},
               {"launch", record.launch},
               {"first", record.first},
               {"slots", record.slots},
               {"seconds",
                {{"encoder", s.encoder},
                 {"decoder", s.decoder},
                 {"head", s.head},
                 {"vae", s.vae},
                 {"total", s.total},
                 {"png", record.png_seconds}}},
               {"steps", steps_json(record.steps)},
               {"flops", record.flops},
               {"block_rows", record.block_rows},
               {"head_rows", record.head_rows},
               {"finished", record.finished}});
  return line;
}

/// Throws json::exception if it is not a record.
ShardRecord from_json(const json& line) {
  ShardRecord record;
  line.at("block").get_to(record.shard);
  line.at("attempt").get_to(record.attempt);
  for (const json& image : line.at("images")) {
    record.images.push_back({image.at("id"), image.at("bytes"), image.at("sha256")});
  }
  record.failed = line.value("failed", std::vector<int64_t>());
  record.recomputed = line.value("recomputed", std::vector<int64_t>());
  if (line.contains("micro_batch")) {
    record.micro_batch = line.at("micro_batch").get<int64_t>();
  }
  record.computed_by = line.value("computed_by", "");
  line.at("rank").get_to(record.rank);
  line.at("launch").get_to(record.launch);
  line.at("first").get_to(record.first);
  line.at("slots").get_to(record.slots);
  const json& seconds = line.at("seconds");
  record.seconds = {seconds.at("encoder"), seconds.at("decoder"), seconds.at("head"),
                    seconds.at("vae"), seconds.at("total")};
  seconds.at("png").get_to(record.png_seconds);
  if (line.contains("steps")) {
    record.steps = steps_from(line.at("steps"));
  }
  line.at("flops").get_to(record.flops);
  line.at("block_rows").get_to(record.block_rows);
  line.at("head_rows").get_to(record.head_rows);
  line.at("finished").get_to(record.finished);
  return record;
}

}  // namespace

Journal::Journal(const std::filesystem::path& info, int64_t rank, bool durable)
    : path_(info / concat("journal.", rank, ".jsonl")), durable_(durable) {
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file_.number() < 0) {
    throw output_error(path_.string(), ": cannot open: ", std::strerror(errno));
  }
  const off_t size = ::lseek(file_.number(), 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(file_.number(), &last, 1, size - 1) == 1 && last != '\n') {
    append_line("");  // ends the line that a crash has torn
  }
}

void Journal::append(const ShardRecord& record) {
  append_line(to_json(record).dump());
}

void Journal::undo(int64_t shard, int64_t attempt) {
  append_line(ordered_json{{"block", shard}, {"undone", attempt}}.dump());
}

void Journal::append_line(const std::string& json) {
  write_all(file_.number(), json + "\n", path_);
  if (durable_) {
    check_synced(::fdatasync(file_.number()), path_);
  }
}

void JournalReader::refresh() {
  static const std::regex kName(R"(journal\.\d+\.jsonl)");
  for (const auto& entry : std::filesystem::directory_iterator(info_)) {
    if (!std::regex_match(entry.path().filename().string(), kName)) {
      continue;
    }
    int64_t& read = read_[entry.path()];
    const std::string added = read_text(entry.path(), read);
    size_t begin = 0;
    for (size_t end; (end = added.find('\n', begin)) != std::string::npos; begin = end + 1) {
      read_line(added.substr(begin, end - begin));
    }
    read += static_cast<int64_t>(begin);  // an unfinished line is read again once it is complete
  }
}

void JournalReader::read_line(const std::string& text) {
  const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) {
    return;
  }
  try {
    if (line.contains("undone")) {
      ShardState& state = shards_[line.at("block").get<int64_t>()];
      state.undone = std::max(state.undone, line.at("undone").get<int64_t>());
      return;
    }
    ShardRecord record = from_json(line);
    if (!fits(record)) {
      return;
    }
    ShardState& state = shards_[record.shard];
    if (!state.record || record.attempt >= state.record->attempt) {
      state.record = std::move(record);
    }
  } catch (const json::exception&) {
    return;  // not a valid record: the shard counts as unfinished
  }
}

bool JournalReader::fits(const ShardRecord& record) const {
  if (record.shard < 0 || record.shard >= plan_.shards() || record.slots < 1) {
    return false;
  }
  std::vector<int64_t> ids = record.failed;
  for (const ImageRecord& image : record.images) {
    ids.push_back(image.id);
  }
  std::sort(ids.begin(), ids.end());
  const ShardIds expected = plan_.ids(record.shard);
  return static_cast<int64_t>(ids.size()) == expected.count && ids.front() == expected.first &&
         ids.back() == expected.first + expected.count - 1 &&
         std::adjacent_find(ids.begin(), ids.end()) == ids.end();
}

const ShardRecord* JournalReader::finished(int64_t shard) const {
  const auto found = shards_.find(shard);
  if (found == shards_.end() || !found->second.record ||
      found->second.record->attempt <= found->second.undone) {
    return nullptr;
  }
  return &*found->second.record;
}

int64_t JournalReader::next_attempt(int64_t shard) const {
  const auto found = shards_.find(shard);
  if (found == shards_.end()) {
    return 0;
  }
  const ShardState& state = found->second;
  return std::max(state.undone, state.record ? state.record->attempt : -1) + 1;
}

const ShardRecord* JournalReader::latest(int64_t shard) const {
  const auto found = shards_.find(shard);
  return found != shards_.end() && found->second.record ? &*found->second.record : nullptr;
}

std::vector<const ShardRecord*> JournalReader::finished() const {
  std::vector<const ShardRecord*> records;
  for (const auto& [shard, state] : shards_) {
    if (const ShardRecord* record = finished(shard)) {
      records.push_back(record);
    }
  }
  return records;
}

}  // namespace lazymar
