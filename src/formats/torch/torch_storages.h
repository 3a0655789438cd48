#pragma once
/// The storages of a checkpoint: what its pickle declares, and the positions of their bytes.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/torch/pickle.h"
#include "formats/weight_content.h"

namespace lazymar {

/// A persistent id: ("storage", type, key, location, elements), in the stream format also a part.
struct DeclaredStorage {
  std::string_view key;
  std::string_view type_name;       ///< "FloatStorage"
  std::optional<ElementType> type;  ///< empty: not a type of weights
  uint64_t elements = 0;
  bool part = false;  ///< a part of another storage, as in very old files
  uint64_t position = 0;
};

/// Position of a storage's bytes.
struct LocatedStorage {
  std::span<const std::byte> bytes;
  uint64_t position = 0;
  std::optional<size_t> record;  ///< in WeightContent::records
};

using LocatedStorages = std::unordered_map<std::string_view, LocatedStorage>;

/// nullopt if the node is not the persistent id of a storage.
std::optional<DeclaredStorage> declared_storage(const Pickle& pickle, const PickleNode& node);

/// Every storage that the pickle declares, by key. Throws Error (usage) if a key is declared with
/// two types or sizes.
std::unordered_map<std::string_view, DeclaredStorage> declared_storages(const Pickle& pickle,
                                                                        std::string_view file);

/// Reads a tensor from a pickle's node and checks every number against the storage. Throws Error
/// (usage).
TensorView rebuild_tensor(const Pickle& pickle, const PickleNode& node,
                          const LocatedStorages& storages, std::string_view file);

/// Whether the node is meant as a tensor, readable or not.
bool means_tensor(const Pickle& pickle, const PickleNode& node);

}  // namespace lazymar
