#pragma once
/// Atomic files: complete or absent.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace lazymar {

/// For names of temporary files: no other process has the same, on any host.
const std::string& process_token();

/// Writes `bytes` under a temporary name in `scratch` (on the same file system as `path`, and not
/// matching *.png), checks every write and the close, then renames. A crash leaves the old file or
/// the new one. Throws Error (output) that names the file and the reason; nothing is left behind.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes,
                           const std::filesystem::path& scratch);

/// The same for content made in pieces: `produce` passes each piece to its argument. If it throws,
/// nothing is left behind.
using ByteSink = std::function<void(std::span<const std::byte>)>;
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(const ByteSink&)>& produce,
                           const std::filesystem::path& scratch);

/// The same for text, with the file's own folder as scratch.
void write_text_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace lazymar
