#include "support/access_watch.h"

#include <algorithm>
#include <utility>

#include "support/cuda_emulator.h"

namespace lazymar::emulator {
namespace {

constexpr uintptr_t kPageBits = 12;
constexpr size_t kSharedWord = 2;

}  // namespace

AccessWatch& access_watch() {
  static auto* const only = new AccessWatch();  // tensors outlive static objects
  return *only;
}

void AccessWatch::begin_launch(void* shared, size_t bytes, size_t guard) {
  launch_era_ = ++era_;
  shared_ = reinterpret_cast<uintptr_t>(shared);
  shared_bytes_ = bytes;
  guard_ = guard;
  shared_words_.resize(std::max(shared_words_.size(), (bytes + kSharedWord - 1) / kSharedWord));
  found_.clear();
}

void AccessWatch::begin_block(std::array<unsigned, 2> index) {
  block_ = index;
  order_block();
  block_era_ = era_;
}

std::string AccessWatch::end_launch() {
  on_ = false;
  return std::exchange(found_, {});
}

void AccessWatch::proceed(const Thread& thread) {
  thread_ = static_cast<uint16_t>(thread.number);
  stack_ = reinterpret_cast<uintptr_t>(thread.stack.get());
  if (!found_.empty()) {
    machine().abandon();
  }
  on_ = true;
}

void AccessWatch::report(const std::string& what) {
  if (found_.empty()) {
    found_ = "thread " + std::to_string(thread_) + " of block " + std::to_string(block_[0]) + ", " +
             std::to_string(block_[1]) + ": " + what;
  }
}

void AccessWatch::order_block() {
  ++era_;
  clocks_.clear();
}

void AccessWatch::order_lanes(int warp, unsigned mask) {
  if (clocks_.size() <= static_cast<size_t>(warp)) {
    clocks_.resize(static_cast<size_t>(warp) + 1, Clocks{});
  }
  Clocks& clocks = clocks_[static_cast<size_t>(warp)];
  std::array<uint16_t, kWarp> joint{};
  const auto for_lanes = [&](const auto& f) {
    for (size_t lane = 0; lane < kWarp; ++lane) {
      if ((mask >> lane & 1U) != 0) {
        f(lane);
      }
    }
  };
  for_lanes([&](size_t lane) {
    ++clocks[lane][lane];  // what it did until now is in the past
    for (size_t other = 0; other < kWarp; ++other) {
      joint[other] = std::max(joint[other], clocks[lane][other]);
    }
  });
  for_lanes([&](size_t lane) { clocks[lane] = joint; });
}

AccessWatch::Access AccessWatch::now() const {
  const size_t warp = thread_ / kWarp;
  const size_t lane = thread_ % kWarp;
  return {era_, thread_, warp < clocks_.size() ? clocks_[warp][lane][lane] : uint16_t{0}};
}

bool AccessWatch::conflicts(const Access& earlier, bool shared) const {
  if (earlier.era < (shared ? block_era_ : launch_era_)) {
    return false;
  }
  if (earlier.era < block_era_) {
    return true;  // another block
  }
  if (earlier.era < era_ || earlier.thread == thread_) {
    return false;
  }
  const size_t warp = thread_ / kWarp;
  return earlier.thread / kWarp != warp || warp >= clocks_.size() ||
         clocks_[warp][thread_ % kWarp][earlier.thread % kWarp] <= earlier.clock;
}

void AccessWatch::note(Word& word, bool writes, bool shared) {
  if (word.write.era == kForbidden) {
    report(writes ? "writes beyond a buffer" : "reads beyond a buffer");
    return;
  }
  const auto name = [&](const Access& earlier, const char* verb) {
    report(std::string(writes ? "writes" : "reads") + " a word of " +
           (shared ? "shared" : "global") + " memory that thread " +
           std::to_string(earlier.thread) +
           (earlier.era < block_era_ ? " of another block has " : " has ") + verb +
           ", and no barrier is between");
  };
  if (conflicts(word.write, shared)) {
    name(word.write, "written");
  }
  const Access me = now();
  if (!writes) {
    for (Access& read : word.reads) {
      const bool mine = read.era >= block_era_ && read.thread == thread_;
      if (mine || !conflicts(read, shared)) {
        read = me;
        return;
      }
    }
    return;  // two others have read it
  }
  for (Access& read : word.reads) {
    if (conflicts(read, shared)) {
      name(read, "read");
    }
    read = {};
  }
  word.write = me;
}

void AccessWatch::check(uintptr_t address, size_t bytes, bool writes) {
  constexpr size_t kStack = 64 * 1024;
  if (address - stack_ < kStack ||
      address - reinterpret_cast<uintptr_t>(&machine()) < sizeof(Machine)) {
    return;  // the thread's own
  }
  counted_ += !writes && address - counted_at_ < counted_bytes_ ? 1 : 0;
  on_ = false;  // what follows may be compiled with reports, too
  if (address + guard_ - shared_ < shared_bytes_ + 2 * guard_) {
    if (address < shared_ || address + bytes > shared_ + shared_bytes_) {
      report(writes ? "writes beyond shared memory" : "reads beyond shared memory");
    } else {
      check_shared(address - shared_, bytes, writes);
    }
  } else {
    check_global(address, bytes, writes);
  }
  if (!found_.empty()) {
    machine().abandon();
  }
  on_ = true;
}

void AccessWatch::count_reads(const void* address, size_t bytes) {
  counted_at_ = reinterpret_cast<uintptr_t>(address);
  counted_bytes_ = bytes;
  counted_ = 0;
}

void AccessWatch::check_shared(size_t offset, size_t bytes, bool writes) {
  for (size_t i = offset / kSharedWord; i * kSharedWord < offset + bytes; ++i) {
    Word& word = shared_words_[i];
    if (!writes && word.write.era < block_era_) {
      report("reads shared memory that nobody has written");
    }
    note(word, writes, /*shared=*/true);
  }
}

void AccessWatch::check_global(uintptr_t address, size_t bytes, bool writes) {
  const uintptr_t end = address + bytes;
  while (address < end) {
    Page& page = page_of(address);
    if (((address | bytes) & ((uintptr_t{1} << page.shift) - 1)) != 0) {
      refine(page, (address | bytes) % 2 == 0 ? 1 : 0);
    }
    const size_t word = (address & ((uintptr_t{1} << kPageBits) - 1)) >> page.shift;
    note(page.words[word], writes, /*shared=*/false);
    address += uintptr_t{1} << page.shift;
  }
}

AccessWatch::Page& AccessWatch::page_of(uintptr_t address) {
  const uintptr_t key = address >> kPageBits;
  if (key != last_key_ || last_page_ == nullptr) {
    std::unique_ptr<Page>& page = pages_[key];
    if (page == nullptr) {
      page = std::make_unique<Page>();
      page->words.resize(size_t{1} << (kPageBits - 2));
    }
    last_key_ = key;
    last_page_ = page.get();
  }
  return *last_page_;
}

void AccessWatch::refine(Page& page, int shift) {
  std::vector<Word> words(size_t{1} << (kPageBits - static_cast<uintptr_t>(shift)));
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = page.words[i >> (page.shift - shift)];
  }
  page.words = std::move(words);
  page.shift = shift;
}

void AccessWatch::forbid(const void* address, size_t bytes, bool forbidden) {
  const auto begin = reinterpret_cast<uintptr_t>(address);
  for (uintptr_t at = begin; at < begin + bytes;) {
    Page& page = page_of(at);
    const uintptr_t step = uintptr_t{1} << page.shift;
    if ((at & (step - 1)) != 0 || (begin + bytes - at) < step) {
      refine(page, at % 2 == 0 && (begin + bytes - at) >= 2 ? 1 : 0);
      continue;
    }
    Word& word = page.words[(at & ((uintptr_t{1} << kPageBits) - 1)) >> page.shift];
    word = {};
    word.write.era = forbidden ? kForbidden : 0;
    at += step;
  }
}

}  // namespace lazymar::emulator
