#pragma once
/// Pixels to finished files, while the next shard is being computed.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "formats/png.h"
#include "run/claims.h"
#include "run/fault_injection.h"
#include "run/image_files.h"
#include "run/journal.h"

namespace lazymar {

/// An image that waits to be encoded.
struct RawImage {
  int64_t id = 0;
  std::shared_ptr<const uint8_t> pixels;  ///< [height, width, 3]
  std::function<PngText()> text;  ///< asked for on an encoder's thread; it may take its time
};

/// Writes what belongs to a shard beside its images, which are in place; its record is complete but
/// not yet in the journal.
using ShardCompanion = std::function<void(const ShardRecord&)>;

/// A shard as it comes out of the networks.
struct RawShard {
  ShardRecord record;  ///< without its images
  std::vector<RawImage> images;
  int64_t width = 0, height = 0;
  std::optional<ShardRecord> previous;  ///< an earlier attempt, whose undamaged files may stay
  ShardCompanion companion;             ///< may be empty
};

/// Encodes, stores, journals and releases the claim, shard after shard, on threads of its own.
class ShardWriter {
 public:
  /// `encoders`: threads that encode PNGs. The rest must outlive the writer.
  ShardWriter(const ImageFiles& files, Journal& journal, Claims& claims,
              const FaultInjection& faults, int64_t encoders);
  /// Finishes what was submitted; errors then go unnoticed.
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  /// Waits while two shards are still to be written. Throws what writing an earlier shard threw:
  /// nothing is written after that.
  void submit(RawShard shard);
  /// Waits until everything is written; throws likewise.
  void finish();

 private:
  void work();
  void write(RawShard& shard);
  std::vector<EncodedImage> encode(const RawShard& shard) const;
  void rethrow() const;

  const ImageFiles& files_;
  Journal& journal_;
  Claims& claims_;
  const FaultInjection& faults_;
  int64_t encoders_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<RawShard> waiting_;
  bool writing_ = false;
  bool ending_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace lazymar
