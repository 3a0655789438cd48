#pragma once
/// Our own kernels on tensors without numbers: they are noted, not run.

#include <cstdint>

namespace lazymar {

/// While this object exists, our kernels serve Meta tensors and are noted in current_log() by the
/// name of their operation; so are graphs. Throws Error (usage) in builds without kernels. Only one
/// at a time; afterwards the device's kernels serve again.
class ShapeOps {
 public:
  ShapeOps();
  ~ShapeOps();
  ShapeOps(const ShapeOps&) = delete;
  ShapeOps& operator=(const ShapeOps&) = delete;
};

}  // namespace lazymar
