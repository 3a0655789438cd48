#include "run/checked_files.h"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "files/text_file.h"
#include "formats/strict_json.h"
#include "run/image_files.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int64_t kMostJournal = int64_t{1} << 30;  ///< bytes of a journal: ten million images
constexpr size_t kMostDepth = 32;

/// `entry` must be a folder or a regular file, and of at most `most` bytes. It may vanish
/// meanwhile.
void check_entry(const fs::directory_entry& entry, int64_t most) {
  std::error_code gone;
  // The listing of the folder told the types: no call for each image.
  const bool link = entry.is_symlink(gone);
  if (link || !entry.is_regular_file(gone)) {
    if (!link && (entry.is_directory(gone) || !entry.exists(gone))) {
      return;
    }
    throw usage_error(entry.path().string(),
                      link ? ": is a symbolic link, which may lead out of the run"
                           : ": is neither a file nor a folder",
                      "; no run writes one: remove it");
  }
  if (most == std::numeric_limits<int64_t>::max()) {
    return;
  }
  const uintmax_t size = entry.file_size(gone);
  if (!gone && size > static_cast<uintmax_t>(most)) {
    throw usage_error(entry.path().string(), ": has ", size, " bytes, more than any run writes",
                      " there; remove it");
  }
}

template <typename Check>
void for_each_entry(const fs::path& folder, Check&& check) {
  std::error_code failed;
  fs::directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    check(*entry);
  }
  // What is no folder is refused when it is written.
  if (failed && failed != std::errc::no_such_file_or_directory &&
      failed != std::errc::not_a_directory) {
    throw usage_error(folder.string(), ": cannot be read: ", failed.message());
  }
}

/// Of a file in info/ or below: only some are read whole.
int64_t most_bytes(const fs::path& path, bool below) {
  const fs::path extension = path.extension();
  if (extension == ".jsonl") {
    return kMostJournal;
  }
  const bool whole =
      below ? extension != ".safetensors" && extension != ".part" : extension == ".json";
  return whole ? kMostRunJson : std::numeric_limits<int64_t>::max();
}

/// Known settings that readers of other people's runs use.
bool has_usual_types(const ordered_json& settings) {
  const auto fits = [&](const char* key, auto&& is_type) {
    const auto found = settings.find(key);
    return found == settings.end() || is_type(*found);
  };
  const auto is_text = [](const ordered_json& value) { return value.is_string(); };
  const auto is_flag = [](const ordered_json& value) { return value.is_boolean(); };
  const auto is_classes = [](const ordered_json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), [](const auto& each) {
             return each.is_number_unsigned() &&
                    each.template get<uint64_t>() <= std::numeric_limits<int32_t>::max();
           });
  };
  const auto is_lazy = [](const ordered_json& value) {
    return value.is_null() || value.is_object();
  };
  return fits("model", is_text) && fits("precision", is_text) && fits("kernels", is_text) &&
         fits("device", is_text) && fits("version", is_text) && fits("few_files", is_flag) &&
         fits("classes", is_classes) && fits("lazy_mar", is_lazy);
}

}  // namespace

void check_run_files(const fs::path& run_folder) {
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  for_each_entry(run_folder, [&](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    if (name == "info" || image_id(name) || is_archive_name(name)) {
      check_entry(entry, kAny);
    }
  });
  for_each_entry(run_folder / "info", [&](const fs::directory_entry& entry) {
    check_entry(entry, most_bytes(entry.path(), false));
    std::error_code gone;
    if (entry.is_directory(gone)) {
      for_each_entry(entry.path(), [&](const fs::directory_entry& below) {
        check_entry(below, most_bytes(below.path(), true));
      });
    }
  });
}

std::string read_run_text(const fs::path& path, int64_t most) {
  return read_regular_file(path, most).value_or("");
}

std::optional<ordered_json> parse_run_object(std::string_view text) {
  try {
    ordered_json json = parse_strict_ordered_json(text, kMostDepth);
    return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
  } catch (const std::runtime_error&) {  // the two of strict_json.h
    return std::nullopt;
  } catch (const ordered_json::exception&) {
    return std::nullopt;
  }
}

std::optional<ordered_json> read_run_object(const fs::path& path) {
  return parse_run_object(read_run_text(path));
}

std::optional<ordered_json> parse_manifest(std::string_view text) {
  std::optional<ordered_json> manifest = parse_run_object(text);
  if (!manifest) {
    return std::nullopt;
  }
  const ordered_json settings = manifest->value("settings", ordered_json());
  const ordered_json launch = manifest->value("launch", ordered_json(""));
  const ordered_json weights = manifest->value("weights_sha256", ordered_json());
  const bool usual = settings.is_object() && has_usual_types(settings) && launch.is_string() &&
                     (weights.is_null() || weights.is_object());
  return usual ? std::move(manifest) : std::nullopt;
}

std::optional<ordered_json> read_manifest_file(const fs::path& run_folder) {
  return parse_manifest(read_run_text(run_folder / "info" / "manifest.json"));
}

std::optional<int64_t> integer_in(const ordered_json& object, const char* key, int64_t least,
                                  int64_t most) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) {
    return std::nullopt;
  }
  if (found->is_number_unsigned() && found->get<uint64_t>() > static_cast<uint64_t>(most)) {
    return std::nullopt;
  }
  const auto value = found->get<int64_t>();
  return value >= least && value <= most ? std::optional(value) : std::nullopt;
}

std::string text_in(const ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool flag_in(const ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace lazymar
