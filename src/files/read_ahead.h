#pragma once
/// Which parts of a mapped file are read from disk.

#include <cstddef>
#include <span>

namespace lazymar {

/// Turns off automatic read-ahead for a whole mapping: reading one byte then fetches one page, not
/// megabytes around it. Use read_ahead() for what will be needed.
void read_only_what_is_touched(std::span<const std::byte> mapping);

/// Starts fetching these bytes of a mapping, which will be read soon. This is only a hint, so bytes
/// outside the mapping are allowed.
void read_ahead(std::span<const std::byte> bytes);

}  // namespace lazymar
