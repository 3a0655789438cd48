#pragma once
/// Faults on demand, to test a run's recovery without a broken machine.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lazymar {

/// The environment variable: "oom@shard:3,nan@image:17,kill@shard:5". A kind of fault, "shard" or
/// "image", and its number; each strikes once per run folder (also across restarts), with "*2"
/// appended twice, with "*" always.
inline constexpr const char* kFaultVariable = "LAZYMAR_FAULT";

enum class FaultKind {
  kOutOfMemory,  ///< oom@shard: the device has no memory
  kDevice,       ///< device@shard: an error after which this process cannot use the device
  kSticky,       ///< sticky@shard: an illegal address, after which a GPU refuses all work
  kKill,         ///< kill@shard: SIGKILL
  kTerminate,    ///< term@shard: SIGTERM
  kStall,        ///< stall@shard: hangs forever
  kDiskFull,     ///< full@shard: no space left for the shard's files
  kNan,          ///< nan@image: the image has a NaN
  kConstant,     ///< flat@image: the image has one colour
};

class FaultInjection {
 public:
  /// `specification` as above, empty for none; `marks`: a folder that records which faults have
  /// struck. Throws Error (usage) for an invalid specification.
  FaultInjection(const std::string& specification, std::filesystem::path marks);

  /// True if this fault strikes now; it is then counted.
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
