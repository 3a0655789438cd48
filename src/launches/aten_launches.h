#pragma once
/// LibTorch's operations on Meta tensors: which kernels they would launch on a GPU.

#include <ATen/record_function.h>
#include <torch/library.h>

#include <set>
#include <string>

namespace lazymar {

/// Operations of which it is not known what they launch: each counts as one kernel.
std::set<std::string>& unknown_operations();

/// Notes LibTorch's operations on Meta tensors in current_log() while this object exists, on the
/// calling thread. Operations that Meta lacks get shapes here.
class AtenLaunches {
 public:
  AtenLaunches();
  ~AtenLaunches();
  AtenLaunches(const AtenLaunches&) = delete;
  AtenLaunches& operator=(const AtenLaunches&) = delete;

 private:
  torch::Library shapes_;
  at::CallbackHandle callback_;
};

}  // namespace lazymar
