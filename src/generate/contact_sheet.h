#pragma once
/// A picture of pictures: images spread evenly over a run, after it and while it goes on.

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

/// What stands on the sheet.
struct ContactSheet {
  std::filesystem::path folder;  ///< the run's
  bool few_files = false;
  ShardPlan plan;
  std::pair<int64_t, int64_t> grid;  ///< rows, columns
  int64_t size = 0;                  ///< of an image, pixels

  /// The PNG, of images as they lie on the disk; tiles of images that are not there stay white.
  std::vector<std::byte> draw(const JournalReader& journal) const;
  /// Writes it to info/grid.png. Throws Error (output).
  void write(const JournalReader& journal) const;
};

/// Refreshes info/grid.png while a run goes on, some seconds after it has grown, on a thread that
/// works while a processor has nothing else to do. A sheet that cannot be written is no reason to
/// stop: the run itself will meet what is wrong.
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
