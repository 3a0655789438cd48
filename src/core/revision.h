#pragma once
/// Which build this is.

#include <string>

namespace lazymar {

/// "0.1.0 (a1b2c3d4e5f6)": version and git revision, "-dirty" if the tree had changes.
std::string version_string();

/// Only the git revision.
std::string revision();

}  // namespace lazymar
