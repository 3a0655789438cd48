#include "lazymar/io/torch_checkpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "lazymar/io/byte_reader.h"
#include "lazymar/io/pickle.h"
#include "torch_storages.h"

namespace lazymar {
namespace {

constexpr std::byte kProtocol{0x80};  // a pickle's first opcode
constexpr std::byte kLong1{0x8a};     // the stream format's third byte
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t kStreamProtocol = 1001;
constexpr int kNewestVersion = 10;  // of the zip format, "version"; 3 in PyTorch 2.11
constexpr uint64_t kMaxShare = 4;   // tied tensors may add up to more than the file
constexpr std::string_view kEmaKey = "model_ema";
constexpr std::string_view kModelKey = "model";

/// A checkpoint's pickle and where its storages stand.
struct Archive {
  Pickle pickle;
  LocatedStorages storages;
  std::vector<ZipEntry> records;
};

// --- The zip format
// -------------------------------------------------------------------------------

class ZipReader {
 public:
  ZipReader(std::span<const std::byte> bytes, std::string_view file, bool check)
      : bytes_(bytes), file_(file), check_(check), entries_(read_zip_directory(bytes, file)) {}

  Archive read() {
    const ZipEntry& data = find_pickle();
    prefix_ = data.name.substr(0, data.name.find('/') + 1);
    refuse_torchscript();
    check_small_entry("version", [](std::string_view text) {
      int version = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
      const std::string_view rest = text.substr(parsed.ptr - text.data());
      return version >= 1 && version <= kNewestVersion && (rest.empty() || rest == "\n");
    });
    check_small_entry("byteorder", [](std::string_view text) { return text == "little"; });
    check_used(data);
    Archive archive;
    archive.pickle =
        read_pickle(bytes_.first(data.position + data.bytes.size()), file_, data.position);
    if (archive.pickle.end != data.position + data.bytes.size()) {
      refuse_at(file_, archive.pickle.end, "the pickle ends before its zip entry");
    }
    const std::string folder = std::string(prefix_) + "data/";
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].name.starts_with(folder)) {
        archive.storages[entries_[i].name.substr(folder.size())] = {entries_[i].bytes,
                                                                    entries_[i].position, i};
      }
    }
    declared_storages(archive.pickle, file_);  // refuses contradictions
    archive.records = std::move(entries_);
    return archive;
  }

 private:
  const ZipEntry& find_pickle() const {
    const ZipEntry* found = nullptr;
    for (const ZipEntry& entry : entries_) {
      const size_t slash = entry.name.find('/');
      if (slash == std::string_view::npos || entry.name.substr(slash) != "/data.pkl") {
        continue;
      }
      if (found != nullptr) {
        refuse_at(file_, entry.position, "a second data.pkl: ", in_quotes(entry.name));
      }
      found = &entry;
    }
    if (found == nullptr) {
      refuse_at(file_, 0, "a zip archive without data.pkl: not written by torch.save");
    }
    return *found;
  }

  void refuse_torchscript() const {
    for (const ZipEntry& entry : entries_) {
      if (!entry.name.starts_with(prefix_)) {
        refuse_at(file_, entry.position, "zip entry ", in_quotes(entry.name), " is not in ",
                  in_quotes(prefix_));
      }
      const std::string_view name = entry.name.substr(prefix_.size());
      if (name == "constants.pkl" || name.starts_with("code/")) {
        refuse_at(file_, entry.position, "a TorchScript archive, which is a program (",
                  in_quotes(entry.name), "): save its state_dict with torch.save");
      }
    }
  }

  template <typename Good>
  void check_small_entry(std::string_view name, Good&& good) const {
    for (const ZipEntry& entry : entries_) {
      if (entry.name.substr(prefix_.size()) != name) {
        continue;
      }
      check_used(entry);
      const std::string_view text(reinterpret_cast<const char*>(entry.bytes.data()),
                                  entry.bytes.size());
      if (!good(text)) {
        refuse_at(file_, entry.position, name, " ", in_quotes(text), " is not one that is read");
      }
    }
  }

  void check_used(const ZipEntry& entry) const {
    if (check_) {
      check_crc(entry, file_);
    }
  }

  std::span<const std::byte> bytes_;
  std::string_view file_;
  bool check_;
  std::vector<ZipEntry> entries_;
  std::string_view prefix_;
};

// --- The stream format: five pickles, then the storages
// -------------------------------------------

bool is_little_endian(const Pickle& system) {
  const PickleNode& root = system[system.root];
  if (root.kind != PickleKind::kDict) {
    return false;
  }
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    if (system.item(root, i).text == "little_endian") {
      return system.item(root, i + 1).integer == 1;
    }
  }
  return false;
}

Archive read_stream(std::span<const std::byte> bytes, std::string_view file) {
  const Pickle magic = read_pickle(bytes, file);
  if (magic[magic.root].text != kMagic) {
    refuse_at(file, 0, "a pickle, but not torch.save's: no checkpoint");
  }
  const Pickle protocol = read_pickle(bytes, file, magic.end);
  if (protocol[protocol.root].integer != kStreamProtocol) {
    refuse_at(file, magic.end, "a stream of another protocol than ", kStreamProtocol);
  }
  const Pickle system = read_pickle(bytes, file, protocol.end);
  if (!is_little_endian(system)) {
    refuse_at(file, protocol.end, "written on a machine that is not little-endian");
  }
  Archive archive;
  archive.pickle = read_pickle(bytes, file, system.end);
  const auto declared = declared_storages(archive.pickle, file);
  const Pickle keys = read_pickle(bytes, file, archive.pickle.end);
  if (keys[keys.root].kind != PickleKind::kList) {
    refuse_at(file, archive.pickle.end, "no list of storages behind the pickle");
  }
  ByteReader reader(bytes, file, keys.end);
  for (const PickleIndex index : keys[keys.root].items) {
    const std::string_view key = keys[index].text;
    const auto storage = declared.find(key);
    if (storage == declared.end() || !storage->second.type) {
      reader.refuse(keys[index].position, "storage ", in_quotes(key),
                    storage == declared.end() ? " is used by no tensor"
                                              : " is of a type whose size is not known");
    }
    const uint64_t position = reader.position();
    const auto elements = reader.read<uint64_t>();
    if (elements != storage->second.elements) {
      reader.refuse(position, "storage ", in_quotes(key), " has ", elements, " elements, ",
                    storage->second.elements, " are declared");
    }
    const auto size = static_cast<uint64_t>(element_size(*storage->second.type));
    if (elements > reader.remaining() / size) {
      reader.refuse(position, "storage ", in_quotes(key), " of ", elements,
                    " elements runs past the end of the file: truncated?");
    }
    const uint64_t begin = reader.position();
    if (!archive.storages
             .try_emplace(key, LocatedStorage{reader.take(elements * size), begin, std::nullopt})
             .second) {
      reader.refuse(keys[index].position, "storage ", in_quotes(key), " is there twice");
    }
  }
  if (reader.remaining() > 0) {
    reader.refuse(reader.position(), reader.remaining(), " bytes after the last storage");
  }
  return archive;
}

// --- Names
// -----------------------------------------------------------------------------------------

bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// The value of a key of the outermost dictionary, which must not be there twice.
const PickleNode* find_key(const Pickle& pickle, std::string_view key, std::string_view file) {
  const PickleNode& root = pickle[pickle.root];
  const PickleNode* found = nullptr;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleNode& name = pickle.item(root, i);
    if (name.kind != PickleKind::kString || name.text != key) {
      continue;
    }
    if (found != nullptr) {
      refuse_at(file, name.position, "key ", in_quotes(key), " is there twice");
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

/// The state dict and the key it stands under.
std::pair<const PickleNode*, std::string_view> choose(const Pickle& pickle, WeightSet wanted,
                                                      std::string_view file) {
  const PickleNode& root = pickle[pickle.root];
  if (root.kind != PickleKind::kDict) {
    refuse_at(file, root.position,
              "the checkpoint is no dictionary: save the state_dict of a whole module");
  }
  const std::pair<std::string_view, bool> keys[] = {{kEmaKey, wanted != WeightSet::kModel},
                                                    {kModelKey, wanted != WeightSet::kEma}};
  for (const auto& [key, allowed] : keys) {
    const PickleNode* found = allowed ? find_key(pickle, key, file) : nullptr;
    if (found == nullptr || found->kind == PickleKind::kNone) {
      continue;
    }
    if (found->kind != PickleKind::kDict) {
      refuse_at(file, found->position, in_quotes(key), " is no dictionary of tensors");
    }
    return {found, key};
  }
  if (wanted == WeightSet::kBest && holds_tensors(pickle, root)) {
    return {&root, ""};
  }
  const std::string_view missing = wanted == WeightSet::kModel ? kModelKey : kEmaKey;
  refuse_at(file, root.position, "no weights under ", in_quotes(missing),
            wanted == WeightSet::kBest ? " or \"model\"" : "", "; the checkpoint holds ",
            listed_keys(pickle));
}

WeightContent read_state_dict(Archive archive, WeightSet wanted, std::string_view file,
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
      refuse_at(file, key.position, "tensor ", in_quotes(key.text), " is there twice");
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

bool looks_like_torch(std::span<const std::byte> file) {
  return looks_like_zip(file) || (file.size() > 2 && file[0] == kProtocol && file[2] == kLong1);
}

WeightContent parse_torch_checkpoint(std::span<const std::byte> bytes, std::string_view file,
                                     WeightSet wanted, bool check_crc) {
  Archive archive =
      looks_like_zip(bytes) ? ZipReader(bytes, file, check_crc).read() : read_stream(bytes, file);
  return read_state_dict(std::move(archive), wanted, file, bytes.size());
}

}  // namespace lazymar
