#pragma once
/// Advice on a path that does not exist.

#include <filesystem>
#include <string>

namespace lazymar {

/// "; did you mean images/a?" for /images/a, if that does not exist, and images/a does in the
/// working directory; empty otherwise.
std::string meant_from_here(const std::filesystem::path& path);

}  // namespace lazymar
