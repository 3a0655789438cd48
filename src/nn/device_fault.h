#pragma once
/// Errors of a GPU after which its process can do no more work.

#include <exception>

namespace lazymar {

/// True for CUDA's sticky errors: an illegal address, a failed launch and their like. Every later
/// call of the process fails with the same error.
bool is_device_fault(const std::exception& error);

}  // namespace lazymar
