#include "formats/torch_checkpoint.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "files/byte_reader.h"
#include "formats/torch_archive.h"

namespace lazymar {
namespace {

constexpr uint64_t kMaxShare = 4;  // tied tensors may add up to more than the file
constexpr std::string_view kEmaKey = "model_ema";
constexpr std::string_view kModelKey = "model";

bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// The value of a key of the outermost dictionary, which must not occur twice.
const PickleNode* find_key(const Pickle& pickle, std::string_view key, std::string_view file) {
  const PickleNode& root = pickle[pickle.root];
  const PickleNode* found = nullptr;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleNode& name = pickle.item(root, i);
    if (name.kind != PickleKind::kString || name.text != key) {
      continue;
    }
    if (found != nullptr) {
      refuse_at(file, name.position, "key ", in_quotes(key), " occurs twice");
    }
    found = &pickle.item(root, i + 1);
  }
  return found;
}

bool holds_tensors(const Pickle& pickle, const PickleNode& dict) {
  for (size_t i = 1; i < dict.items.size(); i += 2) {
    if (means_tensor(pickle, pickle.item(dict, i))) {
      return true;
    }
  }
  return false;
}

std::string listed_keys(const Pickle& pickle) {
  constexpr size_t kMost = 10;
  std::string keys;
  const PickleNode& root = pickle[pickle.root];
  for (size_t i = 0; i < std::min(root.items.size(), 2 * kMost); i += 2) {
    keys += (i > 0 ? ", " : "") + in_quotes(pickle.item(root, i).text);
  }
  return keys + (root.items.size() > 2 * kMost ? ", ..." : "");
}

/// The state dict and its key.
std::pair<const PickleNode*, std::string_view> choose(const Pickle& pickle, WeightSet wanted,
                                                      std::string_view file) {
  const PickleNode& root = pickle[pickle.root];
  if (root.kind != PickleKind::kDict) {
    refuse_at(file, root.position,
              "the checkpoint is not a dictionary; save the module's state_dict");
  }
  const std::pair<std::string_view, bool> keys[] = {{kEmaKey, wanted != WeightSet::kModel},
                                                    {kModelKey, wanted != WeightSet::kEma}};
  for (const auto& [key, allowed] : keys) {
    const PickleNode* found = allowed ? find_key(pickle, key, file) : nullptr;
    if (found == nullptr || found->kind == PickleKind::kNone) {
      continue;
    }
    if (found->kind != PickleKind::kDict) {
      refuse_at(file, found->position, in_quotes(key), " is not a dictionary of tensors");
    }
    return {found, key};
  }
  if (wanted == WeightSet::kBest && holds_tensors(pickle, root)) {
    return {&root, ""};
  }
  const std::string_view missing = wanted == WeightSet::kModel ? kModelKey : kEmaKey;
  refuse_at(file, root.position, "no weights under ", in_quotes(missing),
            wanted == WeightSet::kBest ? " or \"model\"" : "", "; the checkpoint contains ",
            listed_keys(pickle));
}

WeightContent read_state_dict(TorchArchive archive, WeightSet wanted, std::string_view file,
                              uint64_t file_size) {
  const Pickle& pickle = archive.pickle;
  const auto [dict, section] = choose(pickle, wanted, file);
  WeightContent content;
  content.section = section;
  uint64_t total = 0;
  std::set<std::string_view> names;
  for (size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    const PickleNode& key = pickle.item(*dict, i);
    if (key.kind != PickleKind::kString || !is_plain(key.text)) {
      refuse_at(file, key.position, "a tensor's name is not plain text");
    }
    if (!names.insert(key.text).second) {
      refuse_at(file, key.position, "tensor ", in_quotes(key.text), " occurs twice");
    }
    try {
      const TensorView view =
          rebuild_tensor(pickle, pickle.item(*dict, i + 1), archive.storages, file);
      total += view.bytes.size();
      if (total / kMaxShare > file_size) {
        refuse_at(file, key.position, "the tensors take more than ", kMaxShare, " times the file");
      }
      content.tensors.emplace(key.text, view);
    } catch (const Error& error) {
      content.unreadable.emplace(key.text, error.what());
    }
  }
  content.records = std::move(archive.records);
  return content;
}

}  // namespace

WeightContent parse_torch_checkpoint(std::span<const std::byte> bytes, std::string_view file,
                                     WeightSet wanted, bool check_crc) {
  TorchArchive archive = read_torch_archive(bytes, file, check_crc);
  return read_state_dict(std::move(archive), wanted, file, bytes.size());
}

}  // namespace lazymar
