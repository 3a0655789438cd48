#pragma once
/// The container of a checkpoint: its pickle, and the positions of the storages that it declares.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "formats/pickle.h"
#include "formats/torch_storages.h"
#include "formats/zip_archive.h"

namespace lazymar {

/// A checkpoint's pickle and the positions of its storages.
struct TorchArchive {
  Pickle pickle;
  LocatedStorages storages;
  std::vector<ZipEntry> records;
};

/// Reads either format. `check_crc`: of a zip archive's pickle and of the entries read with it.
/// Throws Error (usage) for a container that parse_torch_checkpoint refuses.
TorchArchive read_torch_archive(std::span<const std::byte> bytes, std::string_view file,
                                bool check_crc);

}  // namespace lazymar
