#include "lazymar/eval/contact_sheet.h"

#include <algorithm>

#include "lazymar/io/png.h"

namespace lazymar {
namespace {

/// The image's pixels, or white ones.
std::vector<uint8_t> tile(int64_t id, const BlockPlan& plan, const ImageFiles& files,
                          const JournalReader& journal, int64_t size) {
  constexpr uint8_t kWhite = 255;
  const BlockRecord* record = journal.finished(id / plan.block_size());
  const auto is_it = [id](const ImageRecord& image) { return image.id == id; };
  if (record != nullptr && std::any_of(record->images.begin(), record->images.end(), is_it)) {
    if (auto image = decode_png(files.read(*record, id));
        image && image->width == size && image->height == size) {
      return std::move(image->pixels);
    }
  }
  return std::vector<uint8_t>(static_cast<size_t>(size * size * 3), kWhite);
}

}  // namespace

std::vector<std::byte> contact_sheet(std::pair<int64_t, int64_t> grid, const BlockPlan& plan,
                                     const ImageFiles& files, const JournalReader& journal,
                                     int64_t size) {
  const auto [rows, columns] = grid;
  const int64_t count = rows * columns;
  std::vector<std::vector<uint8_t>> tiles;
  for (int64_t i = 0; i < count; ++i) {
    tiles.push_back(tile(i * plan.num_images() / count, plan, files, journal, size));
  }
  return encode_png(tile_images(tiles, size, size, columns, rows), size * columns, size * rows);
}

}  // namespace lazymar
