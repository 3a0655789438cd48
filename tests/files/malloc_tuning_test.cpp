#include "files/malloc_tuning.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>
#include <vector>

namespace lazymar {
namespace {

/// Free bytes in the heap after sources were allocated and freed, each replaced by its result.
size_t holes() {
  const size_t before = mallinfo2().fordblks;
  std::vector<std::unique_ptr<char[]>> results;
  for (size_t megabytes = 2; megabytes <= 8; ++megabytes) {
    const auto source = std::make_unique<char[]>(megabytes << 20U);
    results.push_back(std::make_unique<char[]>(size_t{3} << 19U));
  }
  const size_t after = mallinfo2().fordblks;
  return after > before ? after - before : 0;
}

TEST(PromptRelease, SourcesLeaveNoHoles) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has a heap of its own";
#endif
  {
    const PromptRelease guard;
    EXPECT_LT(holes(), size_t{1} << 20U);
  }
  EXPECT_GT(holes(), size_t{4} << 20U) << "the same without it: else this test tells nothing";
}

}  // namespace
}  // namespace lazymar
