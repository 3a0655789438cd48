#include "files/read_ahead.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace lazymar {
namespace {

void advise(std::span<const std::byte> bytes, int advice) {
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const size_t before = reinterpret_cast<uintptr_t>(bytes.data()) % page;
  if (!bytes.empty()) {
    // madvise needs a page-aligned address.
    madvise(const_cast<std::byte*>(bytes.data()) - before, bytes.size() + before, advice);
  }
}

}  // namespace

void read_only_what_is_touched(std::span<const std::byte> mapping) {
  advise(mapping, MADV_RANDOM);
}

void read_ahead(std::span<const std::byte> bytes) {
  // For each request, Linux fetches at most its own read-ahead size, often 128 KiB.
  constexpr size_t kPiece = size_t{128} << 10;
  for (; bytes.size() > kPiece; bytes = bytes.subspan(kPiece)) {
    advise(bytes.first(kPiece), MADV_WILLNEED);
  }
  advise(bytes, MADV_WILLNEED);
}

}  // namespace lazymar
