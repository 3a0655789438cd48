#include "files/malloc_tuning.h"

#include <malloc.h>

namespace lazymar {
namespace {

constexpr int kLargeBlock = 1 << 20;
constexpr int kGlibcMappings = 1 << 16;  // how many blocks may be separate mappings

}  // namespace

PromptRelease::PromptRelease() {
  mallopt(M_MMAP_MAX, kGlibcMappings);
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  mallopt(M_TRIM_THRESHOLD, 2 * kLargeBlock);
}

PromptRelease::~PromptRelease() {
  constexpr int kNever = -1;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kNever);
}

void give_back_freed_memory() {
  malloc_trim(0);
}

}  // namespace lazymar
