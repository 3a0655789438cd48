#pragma once
/// Keeps the heap tight while gigabytes are loaded.

namespace lazymar {

/// While one lives, a freed block of a megabyte or more goes back to the system at once. Left
/// alone, glibc raises that limit with the first such block it sees freed, up to 32 MB, and weights
/// that are converted or packed one by one then leave holes of a quarter of all weights between the
/// results. Afterwards nothing goes back any more: the same buffers are needed again in every step,
/// and clearing their pages anew took 5 % of the time. For the whole process; one at a time.
class PromptRelease {
 public:
  PromptRelease();
  ~PromptRelease();
  PromptRelease(const PromptRelease&) = delete;
  PromptRelease& operator=(const PromptRelease&) = delete;
};

/// Gives back what has been freed and kept, holes between live blocks too.
void give_back_freed_memory();

}  // namespace lazymar
