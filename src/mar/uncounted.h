#pragma once
/// Work that observers do, which is not part of drawing images.

#include "nn/flops.h"

namespace lazymar {

/// Restores the calling thread's counter.
class Uncounted {
 public:
  Uncounted() : before_(work_count()) {}
  ~Uncounted() { work_count() = before_; }
  Uncounted(const Uncounted&) = delete;
  Uncounted& operator=(const Uncounted&) = delete;

 private:
  WorkCount before_;
};

}  // namespace lazymar
