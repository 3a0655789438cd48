#pragma once
/// How programs and the library show an error.

#include <string>

#include "core/error.h"

namespace lazymar {

/// The message; a setting has the name of its flag: "--num_iter 0: must be ...".
inline std::string text_with_flag(const Error& error) {
  return concat(error.setting().empty() ? "" : "--", error.what());
}

}  // namespace lazymar
