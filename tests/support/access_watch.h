#pragma once
/// Watches what emulated kernels read and write. The kernels are compiled with -fsanitize=thread,
/// so that the compiler reports every access; here those reports are checked by CUDA's rules
/// instead of ThreadSanitizer's.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace lazymar::emulator {

struct Thread;

/// For every word of shared and global memory: who wrote it last, and who has read it since. Two
/// accesses conflict if one of them writes and nothing orders them: __syncthreads() orders the
/// threads of a block, __syncwarp() the lanes of its mask, and nothing orders blocks. (A shuffle
/// does not: CUDA documents no ordering of memory for it.) The kernels have no atomics.
class AccessWatch {
 public:
  /// `guard` bytes before and after shared memory belong to nobody.
  void begin_launch(void* shared, size_t bytes, size_t guard);
  void begin_block(std::array<unsigned, 2> index);
  /// What was found since begin_launch(); empty if nothing was.
  std::string end_launch();

  /// Accesses until proceed() are not the kernel's.
  void pause() { on_ = false; }
  /// Both end the launch if something was reported, before the access happens: what a broken
  /// kernel would do next may damage this process.
  void proceed(const Thread& thread);
  void access(const void* address, size_t bytes, bool writes) {
    if (on_) {
      check(reinterpret_cast<uintptr_t>(address), bytes, writes);
    }
  }
  void report(const std::string& what);

  void order_block();
  void order_lanes(int warp, unsigned mask);

  /// Counts reads of these bytes from now on.
  void count_reads(const void* address, size_t bytes);
  int64_t counted_reads() const { return counted_; }

  /// Marks bytes that no kernel may touch, or no longer.
  void forbid(const void* address, size_t bytes, bool forbidden);

 private:
  /// Who did it, and when: eras count launches, blocks and barriers.
  struct Access {
    uint32_t era = 0;
    uint16_t thread = 0;
    uint16_t clock = 0;  ///< of its lane, since the era began
  };
  struct Word {
    Access write;
    Access reads[2];  ///< by two threads, if there are two
  };
  /// 4 KiB of global memory. A word has four bytes, or fewer if narrower accesses were seen.
  struct Page {
    int shift = 2;
    std::vector<Word> words;
  };
  static constexpr uint32_t kForbidden = UINT32_MAX;
  static constexpr int kWarp = 32;
  using Clocks = std::array<std::array<uint16_t, kWarp>, kWarp>;

  void check(uintptr_t address, size_t bytes, bool writes);
  void check_shared(size_t offset, size_t bytes, bool writes);
  void check_global(uintptr_t address, size_t bytes, bool writes);
  /// Whether the earlier access conflicts with one of the current thread.
  bool conflicts(const Access& earlier, bool shared) const;
  void note(Word& word, bool writes, bool shared);
  Page& page_of(uintptr_t address);
  static void refine(Page& page, int shift);
  Access now() const;

  bool on_ = false;
  uint32_t era_ = 0, launch_era_ = 0, block_era_ = 0;
  std::array<unsigned, 2> block_{};
  uint16_t thread_ = 0;
  uintptr_t stack_ = 0;
  uintptr_t shared_ = 0;
  size_t shared_bytes_ = 0, guard_ = 0;
  std::vector<Word> shared_words_;  ///< of two bytes each
  std::vector<Clocks> clocks_;      ///< by warp: what a lane knows of another's clock
  std::unordered_map<uintptr_t, std::unique_ptr<Page>> pages_;
  uintptr_t last_key_ = 0;
  Page* last_page_ = nullptr;
  std::string found_;
  uintptr_t counted_at_ = 0;
  size_t counted_bytes_ = 0;
  int64_t counted_ = 0;
};

AccessWatch& access_watch();

}  // namespace lazymar::emulator
