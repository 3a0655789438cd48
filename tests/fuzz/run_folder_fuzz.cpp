// Any bytes as each file of a run folder: refused, or what is taken from it can be used.
#include "fuzz/fuzz.h"
#include "run/checked_files.h"
#include "run/heartbeat.h"
#include "run/run_data.h"
#include "run/run_folder.h"
#include "run/timings.h"

namespace {

using lazymar::fuzz::require;

void manifest(std::string_view text) {
  const auto found = lazymar::parse_manifest(text);
  if (!found) {
    return;
  }
  const auto& settings = found->at("settings");
  require(settings.is_object());
  require(lazymar::differences(settings, settings).empty());
}

void journal(std::string_view text) {
  const lazymar::ShardPlan plan(11, 3);
  lazymar::JournalReader reader("", plan);
  require(reader.add(text) <= text.size());
  std::vector<lazymar::ShardRecord> shards;
  for (const lazymar::ShardRecord* record : reader.finished()) {
    require(record->shard >= 0 && record->shard < plan.shards());
    require(reader.next_attempt(record->shard) > record->attempt);
    for (const lazymar::ImageRecord& image : record->images) {
      require(image.id >= 0 && image.id < plan.num_images() && image.bytes >= 0);
    }
    shards.push_back(*record);
  }
  require(lazymar::written_images(shards) <= plan.num_images());
  static_cast<void>(lazymar::work_per_image(shards));
  static_cast<void>(lazymar::step_costs(shards));
  static_cast<void>(lazymar::stage_times(shards));
  static_cast<void>(lazymar::seconds_per_image(shards));
  static_cast<void>(lazymar::active_seconds(shards));
}

void process(std::string_view text) {
  if (const auto member = lazymar::parse_member(text)) {
    require(member->rank >= 0 && member->size >= 1);
  }
  // A claim's only line.
  const lazymar::ProcessId holder = lazymar::parse_process_id(std::string(text));
  require(holder == lazymar::ProcessId() ||
          lazymar::parse_process_id(lazymar::encode(holder)) == holder);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  manifest(text);
  journal(text);
  process(text);
  lazymar::RunData run;
  lazymar::add_summary(text, run);
  require(!run.total_rows || (run.total_rows->transformer >= 0 && run.total_rows->head >= 0));
  static_cast<void>(lazymar::parse_scores(text));
  return 0;
}
