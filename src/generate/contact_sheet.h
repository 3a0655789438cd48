#pragma once
/// A contact sheet: images spread evenly over a run, at its end or while it is running.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "run/journal.h"
#include "run/shard_plan.h"

namespace lazymar {

/// The sheet's layout.
struct ContactSheet {
  std::filesystem::path folder;  ///< the run's
  bool few_files = false;
  ShardPlan plan;
  std::pair<int64_t, int64_t> grid;  ///< rows, columns
  int64_t size = 0;                  ///< of an image, pixels

  /// The PNG, made from the images on disk; missing images leave white tiles.
  std::vector<std::byte> draw(const JournalReader& journal) const;
  /// Writes it to info/grid.png. Throws Error (output).
  void write(const JournalReader& journal) const;
};

/// Refreshes info/grid.png during a run, a few seconds after new images, on a low-priority thread.
/// If the sheet cannot be written, the run continues and will report the problem itself.
class Preview {
 public:
  explicit Preview(ContactSheet sheet);
  ~Preview();
  Preview(const Preview&) = delete;
  Preview& operator=(const Preview&) = delete;

 private:
  void work();

  ContactSheet sheet_;
  JournalReader journal_;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace lazymar
