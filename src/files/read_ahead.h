#pragma once
/// Which parts of a mapped file are read from disk.

#include <cstddef>
#include <span>

namespace lazymar {

/// Leaves it to read_ahead() to tell what will be needed: reading one byte fetches its page, and
/// not megabytes around it that nobody wants. For a whole mapping.
void read_only_what_is_touched(std::span<const std::byte> mapping);

/// Starts to fetch these bytes of a mapping, all of which will be read soon. Bytes that lie
/// elsewhere are fine: it is only a hint.
void read_ahead(std::span<const std::byte> bytes);

}  // namespace lazymar
