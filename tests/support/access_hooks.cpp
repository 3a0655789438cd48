// What -fsanitize=thread calls, in place of ThreadSanitizer's library.
#include "support/access_watch.h"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wreserved-identifier"  // the compiler chose the names
#endif

#define LAZYMAR_ACCESS(bytes)                                        \
  void __tsan_read##bytes(void* address) {                           \
    lazymar::emulator::access_watch().access(address, bytes, false); \
  }                                                                  \
  void __tsan_write##bytes(void* address) {                          \
    lazymar::emulator::access_watch().access(address, bytes, true);  \
  }                                                                  \
  void __tsan_unaligned_read##bytes(void* address) {                 \
    lazymar::emulator::access_watch().access(address, bytes, false); \
  }                                                                  \
  void __tsan_unaligned_write##bytes(void* address) {                \
    lazymar::emulator::access_watch().access(address, bytes, true);  \
  }
extern "C" {
LAZYMAR_ACCESS(1)
LAZYMAR_ACCESS(2)
LAZYMAR_ACCESS(4)
LAZYMAR_ACCESS(8)
LAZYMAR_ACCESS(16)
void __tsan_read_range(void* address, size_t bytes) {
  lazymar::emulator::access_watch().access(address, bytes, false);
}
void __tsan_write_range(void* address, size_t bytes) {
  lazymar::emulator::access_watch().access(address, bytes, true);
}
void __tsan_vptr_update(void* /*address*/, void* /*value*/) {}
void __tsan_init() {}
void __tsan_func_entry(void* /*caller*/) {}
void __tsan_func_exit() {}
}
