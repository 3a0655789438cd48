#pragma once
/// Files that stand where another was wanted: what a failed or forgotten download leaves behind.

#include <cstddef>
#include <span>
#include <string>

namespace lazymar {

/// What the file is and what to do, if it begins like a Git LFS pointer, a web page, a compressed
/// file, or the index of a sharded checkpoint; empty otherwise. "a Git LFS pointer, not ...; run
/// ..."
std::string foreign_file(std::span<const std::byte> file);

}  // namespace lazymar
