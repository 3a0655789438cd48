#include "formats/torch/torch_checkpoint.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/text.h"
#include "files/byte_reader.h"
#include "formats/torch/torch_archive.h"

namespace lazymar {
namespace {

constexpr uint64_t kMaxShare = 4;  // tied tensors may add up to more than the file
constexpr std::string_view kEmaKey = "model_ema";
constexpr std::string_view kModelKey = "model";
/// MAR's keys, then those of DiT, timm, latent diffusion, DeepSpeed and their like.
constexpr std::string_view kEmaKeys[] = {kEmaKey, "ema", "ema_model", "state_dict_ema",
                                         "ema_state_dict"};
constexpr std::string_view kModelKeys[] = {kModelKey, "state_dict", "model_state_dict", "module",
                                           "net"};
constexpr int kMostLevels = 4;  // of dictionaries around the weights

bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// The value of a dictionary's key, which must not occur twice.
const PickleNode* find_key(const Pickle& pickle, const PickleNode& dict, std::string_view key,
                           std::string_view file) {
  const PickleNode* found = nullptr;
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleNode& name = pickle.item(dict, i);
    if (name.kind != PickleKind::kString || name.text != key) {
      continue;
    }
    if (found != nullptr) {
      refuse_at(file, name.position, "key ", in_quotes(key), " occurs twice");
    }
    found = &pickle.item(dict, i + 1);
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

using Section = std::pair<const PickleNode*, std::string_view>;  ///< a state dict and its key

/// The state dict under the first of the keys that leads to tensors; nullptr if none does.
Section find_section(const Pickle& pickle, const PickleNode& dict,
                     std::span<const std::string_view> keys, std::string_view file) {
  for (const std::string_view key : keys) {
    const PickleNode* found = find_key(pickle, dict, key, file);
    for (int level = 0; found != nullptr && level < kMostLevels; ++level) {
      if (found->kind != PickleKind::kDict) {
        break;
      }
      if (holds_tensors(pickle, *found)) {
        return {found, key};
      }
      const PickleNode* inner = nullptr;
      for (size_t i = 0; i < std::size(kModelKeys) && inner == nullptr; ++i) {
        inner = find_key(pickle, *found, kModelKeys[i], file);
      }
      found = inner;
    }
  }
  return {nullptr, ""};
}

/// The keys of the dictionary that are text and pass the test.
template <typename Test>
std::vector<std::string_view> keys_that(const Pickle& pickle, const PickleNode& dict,
                                        const Test& test) {
  std::vector<std::string_view> keys;
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleNode& name = pickle.item(dict, i);
    if (name.kind == PickleKind::kString && test(name.text)) {
      keys.push_back(name.text);
    }
  }
  return keys;
}

/// The state dict under the only key of any name that leads to tensors; nullptr if none does.
Section find_only_section(const Pickle& pickle, const PickleNode& dict, std::string_view file) {
  std::vector<std::string_view> keys = keys_that(pickle, dict, [&](std::string_view key) {
    return !says_ema(key) && find_section(pickle, dict, {&key, 1}, file).first != nullptr;
  });
  if (keys.size() > 1) {
    std::vector<std::string> listed;
    std::transform(keys.begin(), keys.end(), std::back_inserter(listed), in_quotes);
    refuse_at(file, dict.position, "holds ", keys.size(), " state dicts, under ",
              join(listed, ", "), "; save the one to use with torch.save");
  }
  return keys.empty() ? Section() : find_section(pickle, dict, keys, file);
}

/// Whether a name in the dictionary says EMA: "model_ema.module.mask_token".
bool names_ema(const Pickle& pickle, const PickleNode& dict) {
  const auto says = [](std::string_view name) {
    const std::vector<std::string> parts = split(std::string(name), '.');
    return std::any_of(parts.begin(), parts.end(), says_ema);
  };
  return !keys_that(pickle, dict, says).empty();
}

/// The state dict and its key.
Section choose(const Pickle& pickle, WeightSet wanted, std::string_view file) {
  const PickleNode& root = pickle[pickle.root];
  if (root.kind != PickleKind::kDict) {
    refuse_at(file, root.position,
              "the checkpoint is not a dictionary; save the module's state_dict");
  }
  const std::vector<std::string_view> other_ema = keys_that(pickle, root, says_ema);
  for (const auto& [keys, allowed] :
       {std::pair{std::span<const std::string_view>(kEmaKeys), wanted != WeightSet::kModel},
        {std::span<const std::string_view>(other_ema), wanted != WeightSet::kModel},
        {std::span<const std::string_view>(kModelKeys), wanted != WeightSet::kEma}}) {
    const Section found = allowed ? find_section(pickle, root, keys, file) : Section();
    if (found.first != nullptr) {
      return found;
    }
  }
  if (holds_tensors(pickle, root)) {
    if (wanted == WeightSet::kBest || names_ema(pickle, root)) {
      return {&root, ""};
    }
    refuse_at(file, root.position, "a plain state dict without EMA weights; omit --weights");
  }
  if (const Section only = find_only_section(pickle, root, file);
      only.first != nullptr && wanted != WeightSet::kEma) {
    return only;
  }
  for (const auto& [key, allowed] :
       {std::pair{kEmaKey, wanted != WeightSet::kModel}, {kModelKey, wanted != WeightSet::kEma}}) {
    const PickleNode* named = allowed ? find_key(pickle, root, key, file) : nullptr;
    if (named != nullptr && named->kind == PickleKind::kDict) {
      return {named, key};  // without a tensor: its entries are listed with what they are
    }
    if (named != nullptr && named->kind != PickleKind::kNone) {
      refuse_at(file, named->position, in_quotes(key), " is not a dictionary of tensors");
    }
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
