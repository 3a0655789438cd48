#include "formats/torch/torch_archive.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "files/byte_reader.h"
#include "files/read_ahead.h"
#include "formats/torch/torch_checkpoint.h"

namespace lazymar {
namespace {

constexpr std::byte kProtocol{0x80};  // a pickle's first opcode
constexpr std::byte kLong1{0x8a};     // the stream format's third byte
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t kStreamProtocol = 1001;
constexpr int kNewestVersion = 10;  // of the zip format, "version"; 3 in PyTorch 2.11

// --- The zip format

class ZipReader {
 public:
  ZipReader(std::span<const std::byte> bytes, std::string_view file, bool check)
      : bytes_(bytes),
        file_(file),
        check_(check),
        entries_(read_zip_directory(bytes, file, ZipMethods::kStoredAndDeflated)) {}

  TorchArchive read() {
    const ZipEntry& data = find_pickle();
    prefix_ = data.name.substr(0, data.name.find('/') + 1);
    refuse_torchscript();  // first: torch.jit.save compresses its program
    refuse_compressed();
    check_small_entry("version", [](std::string_view text) {
      int version = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
      const std::string_view rest = text.substr(parsed.ptr - text.data());
      return version >= 1 && version <= kNewestVersion && (rest.empty() || rest == "\n");
    });
    check_small_entry("byteorder", [](std::string_view text) { return text == "little"; });
    read_ahead(data.bytes);
    check_used(data);
    TorchArchive archive;
    archive.pickle =
        read_pickle(bytes_.first(data.position + data.bytes.size()), file_, data.position);
    if (archive.pickle.end != data.position + data.bytes.size()) {
      refuse_at(file_, archive.pickle.end, "bytes after the pickle in its zip entry");
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
      refuse_at(file_, 0, "no data.pkl in the zip archive; not written by torch.save");
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
        refuse_at(file_, entry.position, "a TorchScript archive, which contains a program (",
                  in_quotes(entry.name), "); save its state_dict with torch.save");
      }
    }
  }

  void refuse_compressed() const {
    for (const ZipEntry& entry : entries_) {
      if (entry.deflated) {
        refuse_at(file_, entry.position, "zip entry ", in_quotes(entry.name),
                  " is compressed, which is not supported");
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
      const std::string_view text = as_text(entry.bytes);
      if (!good(text)) {
        refuse_at(file_, entry.position, name, " ", in_quotes(text), " is not supported");
      }
    }
  }

  void check_used(const ZipEntry& entry) const {
    if (check_) {
      check_crc(entry, file_, kCrcAdvice);
    }
  }

  std::span<const std::byte> bytes_;
  std::string_view file_;
  bool check_;
  std::vector<ZipEntry> entries_;
  std::string_view prefix_;
};

// --- The stream format: five pickles, then the storages

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

TorchArchive read_stream(std::span<const std::byte> bytes, std::string_view file) {
  const Pickle magic = read_pickle(bytes, file);
  if (magic[magic.root].text != kMagic) {
    refuse_at(file, 0, "a pickle that torch.save did not write; not a checkpoint");
  }
  const Pickle protocol = read_pickle(bytes, file, magic.end);
  if (protocol[protocol.root].integer != kStreamProtocol) {
    refuse_at(file, magic.end, "unsupported stream protocol, expected ", kStreamProtocol);
  }
  const Pickle system = read_pickle(bytes, file, protocol.end);
  if (!is_little_endian(system)) {
    refuse_at(file, protocol.end, "written on a big-endian machine");
  }
  TorchArchive archive;
  archive.pickle = read_pickle(bytes, file, system.end);
  const auto declared = declared_storages(archive.pickle, file);
  const Pickle keys = read_pickle(bytes, file, archive.pickle.end);
  if (keys[keys.root].kind != PickleKind::kList) {
    refuse_at(file, archive.pickle.end, "no list of storages after the pickle");
  }
  ByteReader reader(bytes, file, keys.end);
  for (const PickleIndex index : keys[keys.root].items) {
    const std::string_view key = keys[index].text;
    const auto storage = declared.find(key);
    if (storage == declared.end() || !storage->second.type) {
      reader.refuse(
          keys[index].position, "storage ", in_quotes(key),
          storage == declared.end() ? " is used by no tensor" : " has a type of unknown size");
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
      reader.refuse(keys[index].position, "storage ", in_quotes(key), " occurs twice");
    }
  }
  if (reader.remaining() > 0) {
    reader.refuse(reader.position(), reader.remaining(), " bytes after the last storage");
  }
  return archive;
}

}  // namespace

bool looks_like_torch(std::span<const std::byte> file) {
  return looks_like_zip(file) || (file.size() > 2 && file[0] == kProtocol && file[2] == kLong1);
}

TorchArchive read_torch_archive(std::span<const std::byte> bytes, std::string_view file,
                                bool check_crc) {
  return looks_like_zip(bytes) ? ZipReader(bytes, file, check_crc).read()
                               : read_stream(bytes, file);
}

}  // namespace lazymar
