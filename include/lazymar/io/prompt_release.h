#pragma once
/// Keeps the heap tight while gigabytes are loaded.

namespace lazymar {

/// While one lives, a freed block of a megabyte or more goes back to the system at once. Left
/// alone, glibc raises that limit with the first such block it sees freed, up to 32 MB, and weights
/// that are converted or packed one by one then leave holes of a quarter of all weights between the
/// results. Afterwards the limits are those that glibc comes to by itself, so that buffers are used
/// again. For the whole process; one at a time.
class PromptRelease {
 public:
  PromptRelease();
  ~PromptRelease();
  PromptRelease(const PromptRelease&) = delete;
  PromptRelease& operator=(const PromptRelease&) = delete;
};

}  // namespace lazymar
