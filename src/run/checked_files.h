#pragma once
/// A run folder may come from a stranger: what it may contain, and JSON in it.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lazymar {

/// Throws Error (usage) if the folder holds what no run writes and could lead out of it, or make a
/// reader wait or fill the memory: a link or a pipe in place of an image, of info/ or of a file in
/// it, and files in info/ that are read whole and too large for that. A missing folder is fine.
void check_run_files(const std::filesystem::path& run_folder);

/// Bytes of a file that is one JSON value.
inline constexpr int64_t kMostRunJson = int64_t{64} << 20;

/// The text of a file of a run; empty if it cannot be read, is no regular file, or larger.
std::string read_run_text(const std::filesystem::path& path, int64_t most = kMostRunJson);

/// An object; nothing for other text, also if it nests deeper than any run's files or repeats a
/// key.
std::optional<nlohmann::ordered_json> parse_run_object(std::string_view text);

/// Such an object from a file; nothing if it cannot be read, is no regular file, or too large.
std::optional<nlohmann::ordered_json> read_run_object(const std::filesystem::path& path);

/// A manifest: an object whose "settings" are one, and whose other known values have their types.
/// Nothing for any other text.
std::optional<nlohmann::ordered_json> parse_manifest(std::string_view text);
std::optional<nlohmann::ordered_json> read_manifest_file(const std::filesystem::path& run_folder);

/// Values of an object; nothing, "" and false if missing or of another type. Integers outside of
/// `least` to `most` count as missing.
std::optional<int64_t> integer_in(const nlohmann::ordered_json& object, const char* key,
                                  int64_t least, int64_t most);
std::string text_in(const nlohmann::ordered_json& object, const char* key);
bool flag_in(const nlohmann::ordered_json& object, const char* key);

}  // namespace lazymar
