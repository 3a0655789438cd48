#pragma once
/// <output_dir>/<model>/<settings>/: numbered PNGs and info/, nothing else.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "lazymar/core/config.h"
#include "lazymar/eval/options.h"

namespace lazymar {

/// What a run resolved from command line, checkpoint and device, beside what it would be without
/// the command line.
struct ResolvedSettings {
  SamplingOptions sampling;
  int64_t eval_bsz = 0;
};

/// A folder name that tells every setting that differs from the default; no timestamp.
/// "iter64_baseline", "iter32_lazy_cfg2_n64_seed7".
std::string settings_name(const EvalOptions& options, const ResolvedSettings& resolved,
                          const ResolvedSettings& standard);

/// Where a run writes. Not for several processes at once.
class RunFolder {
 public:
  /// Creates the folder. Images of an earlier run are refused, or with `overwrite` removed,
  /// together with what that run left in info/. Throws Error: usage for a folder that holds images,
  /// output where it cannot be written.
  RunFolder(const std::filesystem::path& path, bool overwrite);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path info() const { return path_ / "info"; }

  /// Writes 00000.png and so on, whole or not at all.
  void write_image(int64_t id, std::span<const std::byte> png) const;

 private:
  std::filesystem::path path_;
};

}  // namespace lazymar
