#pragma once
/// Faults on demand, so that what a run does about them can be tried without a broken machine.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lazymar {

/// The environment variable: "oom@block:3,nan@image:17,kill@block:5". A kind of fault, "block" or
/// "image", and its number; each strikes once per run folder (also across restarts), with "*2"
/// behind it twice, with "*" always.
inline constexpr const char* kFaultVariable = "LAZYMAR_FAULT";

enum class FaultKind {
  kOutOfMemory,  ///< oom@block: the device has no memory
  kDevice,       ///< device@block: an error after which the device is of no use to this process
  kKill,         ///< kill@block: SIGKILL
  kTerminate,    ///< term@block: SIGTERM
  kStall,        ///< stall@block: stops getting on, for ever
  kDiskFull,     ///< full@block: no space left for the block's files
  kNan,          ///< nan@image: the image has a value that is no number
  kConstant,     ///< flat@image: the image has one colour
};

class Faults {
 public:
  /// `specification` as above, empty for none; `marks`: a folder for what has struck already.
  /// Throws Error (usage) for what it does not understand.
  Faults(const std::string& specification, std::filesystem::path marks);

  /// True where this fault is to strike now; it is counted.
  bool strikes(FaultKind kind, int64_t number) const;

 private:
  struct Fault {
    FaultKind kind;
    int64_t number;
    int64_t times;
  };
  std::vector<Fault> faults_;
  std::filesystem::path marks_;
};

}  // namespace lazymar
