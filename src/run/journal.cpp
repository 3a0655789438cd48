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
#include "run/checked_files.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kMostNumber = int64_t{1} << 62;
constexpr int64_t kMostAttempts = int64_t{1} << 31;

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

/// A line that no run has written.
struct NoRecord {};

/// From 0 to `most`.
int64_t integer(const ordered_json& object, const char* key, int64_t most) {
  const std::optional<int64_t> value = integer_in(object, key, 0, most);
  if (!value) {
    throw NoRecord();
  }
  return *value;
}

std::vector<int64_t> integers(const ordered_json& object, const char* key) {
  std::vector<int64_t> values;
  for (const ordered_json& value : object.value(key, ordered_json::array())) {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > kMostNumber) {
      throw NoRecord();
    }
    values.push_back(value.get<int64_t>());
  }
  return values;
}

std::vector<StepCost> steps_from(const ordered_json& lists) {
  const auto seconds = lists.at("seconds").get<std::vector<double>>();
  const std::vector<int64_t> flops = integers(lists, "flops");
  std::vector<StepCost> steps;
  for (size_t i = 0; i < std::min(seconds.size(), flops.size()); ++i) {
    steps.push_back({seconds[i], flops[i]});
  }
  return steps;
}

/// Throws NoRecord or ordered_json::exception if it is not a record.
ShardRecord from_json(const ordered_json& line) {
  ShardRecord record;
  record.shard = integer(line, "block", kMostNumber);
  record.attempt = integer(line, "attempt", kMostAttempts);
  for (const ordered_json& image : line.at("images")) {
    record.images.push_back({integer(image, "id", kMostNumber),
                             integer(image, "bytes", kMostNumber), image.at("sha256")});
  }
  record.failed = integers(line, "failed");
  record.recomputed = integers(line, "recomputed");
  if (line.contains("micro_batch")) {
    record.micro_batch = integer(line, "micro_batch", kMostNumber);
  }
  record.computed_by = line.value("computed_by", "");
  record.rank = integer(line, "rank", kMostNumber);
  line.at("launch").get_to(record.launch);
  line.at("first").get_to(record.first);
  record.slots = integer(line, "slots", kMostNumber);
  const ordered_json& seconds = line.at("seconds");
  record.seconds = {seconds.at("encoder"), seconds.at("decoder"), seconds.at("head"),
                    seconds.at("vae"), seconds.at("total")};
  seconds.at("png").get_to(record.png_seconds);
  if (line.contains("steps")) {
    record.steps = steps_from(line.at("steps"));
  }
  record.flops = integer(line, "flops", kMostNumber);
  record.block_rows = integer(line, "block_rows", kMostNumber);
  record.head_rows = integer(line, "head_rows", kMostNumber);
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

std::vector<std::filesystem::path> journal_files(const std::filesystem::path& info) {
  static const std::regex kName(R"(journal\.\d{1,9}\.jsonl)");
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(info)) {
    for (const auto& entry : std::filesystem::directory_iterator(info)) {
      if (std::regex_match(entry.path().filename().string(), kName)) {
        files.push_back(entry.path());
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void JournalReader::refresh() {
  for (const std::filesystem::path& path : journal_files(info_)) {
    int64_t& read = read_[path];
    // An unfinished line is read again once it is complete.
    read += static_cast<int64_t>(add(read_text(path, read)));
  }
}

size_t JournalReader::add(std::string_view text) {
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    read_line(text.substr(begin, end - begin));
  }
  return begin;
}

void JournalReader::read_line(std::string_view text) {
  const std::optional<ordered_json> line = parse_run_object(text);
  if (!line) {
    return;
  }
  try {
    if (line->contains("undone")) {
      ShardState& state = shards_[integer(*line, "block", plan_.shards() - 1)];
      state.undone = std::max(state.undone, integer(*line, "undone", kMostAttempts));
      return;
    }
    ShardRecord record = from_json(*line);
    if (!fits(record)) {
      return;
    }
    ShardState& state = shards_[record.shard];
    if (!state.record || record.attempt >= state.record->attempt) {
      state.record = std::move(record);
    }
  } catch (const ordered_json::exception&) {
    return;  // not a valid record: the shard counts as unfinished
  } catch (const NoRecord&) {
    return;
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
