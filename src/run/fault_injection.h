#pragma once
/// FaultInjection on demand, so that what a run does about them can be tried without a broken
/// machine.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lazymar {

/// The environment variable: "oom@shard:3,nan@image:17,kill@shard:5". A kind of fault, "shard" or
/// "image", and its number; each strikes once per run folder (also across restarts), with "*2"
/// behind it twice, with "*" always.
inline constexpr const char* kFaultVariable = "LAZYMAR_FAULT";

enum class FaultKind {
  kOutOfMemory,  ///< oom@shard: the device has no memory
  kDevice,       ///< device@shard: an error after which the device is of no use to this process
  kKill,         ///< kill@shard: SIGKILL
  kTerminate,    ///< term@shard: SIGTERM
  kStall,        ///< stall@shard: stops getting on, for ever
  kDiskFull,     ///< full@shard: no space left for the shard's files
  kNan,          ///< nan@image: the image has a value that is no number
  kConstant,     ///< flat@image: the image has one colour
};

class FaultInjection {
 public:
  /// `specification` as above, empty for none; `marks`: a folder for what has struck already.
  /// Throws Error (usage) for what it does not understand.
  FaultInjection(const std::string& specification, std::filesystem::path marks);

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
