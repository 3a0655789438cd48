#pragma once
/// CPU memory between canaries: every tensor of the program that links this.

#include <string>

namespace lazymar::testing {

/// Empty, or what has written beyond a buffer that exists now or was freed since the last call.
std::string damaged_buffer();

}  // namespace lazymar::testing
