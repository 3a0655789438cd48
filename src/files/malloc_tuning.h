#pragma once
/// Keeps the heap tight while gigabytes are loaded.

namespace lazymar {

/// While an instance exists, free() returns blocks of a megabyte or more to the system at once. By
/// default, glibc raises that limit, up to 32 MB, when it first frees such a block. Weights that
/// are converted or packed one by one then leave gaps as large as a quarter of all weights.
/// Afterwards, freed memory is kept: every step needs the same buffers again, and clearing their
/// pages took 5 % of the time. Process-wide; one instance at a time.
class PromptRelease {
 public:
  PromptRelease();
  ~PromptRelease();
  PromptRelease(const PromptRelease&) = delete;
  PromptRelease& operator=(const PromptRelease&) = delete;
};

/// Returns freed memory to the system, including gaps between live blocks.
void give_back_freed_memory();

}  // namespace lazymar
