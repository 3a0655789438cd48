#include "lazymar/io/prompt_release.h"

#include <malloc.h>

namespace lazymar {
namespace {

constexpr int kLargeBlock = 1 << 20;
constexpr int kGlibcHighest = 32 << 20;  // of the limit that it adjusts; it trims at twice as much

void set_limits(int block) {
  mallopt(M_MMAP_THRESHOLD, block);
  mallopt(M_TRIM_THRESHOLD, 2 * block);
}

}  // namespace

PromptRelease::PromptRelease() {
  set_limits(kLargeBlock);
}

PromptRelease::~PromptRelease() {
  set_limits(kGlibcHighest);
}

}  // namespace lazymar
