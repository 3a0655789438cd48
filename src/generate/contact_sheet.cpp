#include "generate/contact_sheet.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "core/error.h"
#include "files/atomic_file.h"
#include "formats/image.h"
#include "formats/png.h"
#include "run/image_files.h"

namespace lazymar {
namespace {

constexpr std::chrono::seconds kRefresh(3);

/// The image's pixels, or white ones.
std::vector<uint8_t> tile(int64_t id, const ContactSheet& sheet, const JournalReader& journal) {
  constexpr uint8_t kWhite = 255;
  const ShardRecord* record = journal.finished(id / sheet.plan.shard_size());
  const auto is_it = [id](const ImageRecord& image) { return image.id == id; };
  if (record != nullptr && std::any_of(record->images.begin(), record->images.end(), is_it)) {
    try {
      auto image = decode_png(read_image(sheet.folder, sheet.few_files, record->shard, id));
      if (image && image->width == sheet.size && image->height == sheet.size) {
        return std::move(image->pixels);
      }
    } catch (const Error&) {
      // The final check of the set reports it.
    }
  }
  return std::vector<uint8_t>(static_cast<size_t>(sheet.size * sheet.size * 3), kWhite);
}

}  // namespace

std::vector<std::byte> ContactSheet::draw(const JournalReader& journal) const {
  const auto [rows, columns] = grid;
  const int64_t count = rows * columns;
  std::vector<std::vector<uint8_t>> tiles;
  for (int64_t i = 0; i < count; ++i) {
    tiles.push_back(tile(i * plan.num_images() / count, *this, journal));
  }
  return encode_png(tile_images(tiles, size, size, columns, rows), size * columns, size * rows);
}

void ContactSheet::write(const JournalReader& journal) const {
  const std::filesystem::path info = folder / "info";
  write_file_atomically(info / "grid.png", draw(journal), info);
}

Preview::Preview(ContactSheet sheet)
    : sheet_(std::move(sheet)),
      journal_(sheet_.folder / "info", sheet_.plan),
      thread_([this] { work(); }) {}

Preview::~Preview() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ending_.notify_all();
  thread_.join();
}

void Preview::work() {
  const sched_param no_priority{};
  sched_setscheduler(0, SCHED_IDLE, &no_priority);
  size_t shown = 0;
  std::unique_lock lock(mutex_);
  bool last = false;
  while (!last) {
    // The final sheet may replace one that another process has finished meanwhile.
    last = ending_.wait_for(lock, kRefresh, [this] { return ended_; });
    try {
      journal_.refresh();
      const size_t shards = journal_.finished().size();
      if (shards > shown || last) {
        sheet_.write(journal_);
        shown = shards;
      }
    } catch (const std::exception&) {
      // The run continues; the final sheet will report it.
    }
  }
}

}  // namespace lazymar
