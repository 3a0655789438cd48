#pragma once
/// The finished shards: one line of JSON each in info/journal.<rank>.jsonl.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/cost.h"
#include "files/descriptor.h"
#include "run/shard_plan.h"

namespace lazymar {

/// One image on disk.
struct ImageRecord {
  int64_t id = 0;
  int64_t bytes = 0;   ///< of the PNG
  std::string sha256;  ///< of the PNG

  bool operator==(const ImageRecord&) const = default;
};

/// The record of one shard.
struct ShardRecord {
  int64_t shard = 0;
  /// How often the shard was restarted because of damaged files; the highest attempt counts.
  int64_t attempt = 0;
  std::vector<ImageRecord> images;
  std::vector<int64_t> failed;         ///< ids whose results were non-finite or constant twice
  std::vector<int64_t> recomputed;     ///< ids whose first result was refused
  std::optional<int64_t> micro_batch;  ///< memory ran out: the last bits may differ
  /// How it was computed, if not as the manifest says; empty otherwise. The last bits may differ.
  std::string computed_by;
  int64_t rank = 0;
  std::string launch;
  bool first = false;  ///< the first shard of its process: warm-up included
  int64_t slots = 0;   ///< images computed; the last shard's padding counts
  StageSeconds seconds;
  double png_seconds = 0.0;
  std::vector<StepCost> steps;  ///< all slots; missing in journals of earlier versions
  int64_t flops = 0, block_rows = 0, head_rows = 0;  ///< executed, all slots
  double finished = 0.0;                             ///< seconds since 1970
};

/// Appends to one process's journal; each line is a single write.
class Journal {
 public:
  /// Appends to the journal of an earlier process of the same rank, whose last line may be torn.
  /// Throws Error (output), as the others do.
  Journal(const std::filesystem::path& info, int64_t rank, bool durable);

  void append(const ShardRecord& record);
  /// The shard's files are damaged: attempts up to this one no longer count.
  void undo(int64_t shard, int64_t attempt);

 private:
  void append_line(const std::string& json);

  std::filesystem::path path_;
  Descriptor file_;
  bool durable_;
};

/// The journals in info/, by name.
std::vector<std::filesystem::path> journal_files(const std::filesystem::path& info);

/// Reads the journals of all processes, past and present, as they grow. Lines that are not a record
/// (torn by a crash) or not of this plan are skipped.
class JournalReader {
 public:
  JournalReader(std::filesystem::path info, const ShardPlan& plan)
      : info_(std::move(info)), plan_(plan) {}

  /// Reads what was added since.
  void refresh();
  /// The same for a journal's text; returns where its last line ends.
  size_t add(std::string_view text);

  /// The record of a finished shard; null if it is not, or no longer, finished.
  const ShardRecord* finished(int64_t shard) const;
  /// The number of the shard's next attempt.
  int64_t next_attempt(int64_t shard) const;
  /// The shard's last record, even if it no longer counts; null if there is none.
  const ShardRecord* latest(int64_t shard) const;
  /// Every record that counts, by shard.
  std::vector<const ShardRecord*> finished() const;

 private:
  struct ShardState {
    std::optional<ShardRecord> record;
    int64_t undone = -1;  ///< attempts up to this one do not count
  };
  void read_line(std::string_view text);
  bool fits(const ShardRecord& record) const;

  std::filesystem::path info_;
  ShardPlan plan_;
  std::map<std::filesystem::path, int64_t> read_;  ///< bytes, by journal
  std::map<int64_t, ShardState> shards_;
};

}  // namespace lazymar
