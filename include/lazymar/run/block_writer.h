#pragma once
/// Pixels to finished files, while the next block is being computed.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "lazymar/io/png.h"
#include "lazymar/run/claims.h"
#include "lazymar/run/faults.h"
#include "lazymar/run/image_files.h"
#include "lazymar/run/journal.h"

namespace lazymar {

/// An image that waits to be encoded.
struct RawImage {
  int64_t id = 0;
  std::shared_ptr<const uint8_t> pixels;  ///< [height, width, 3]
  std::function<PngText()> text;  ///< asked for on an encoder's thread; it may take its time
};

/// Writes what belongs to a block beside its images, which are in place; its record is complete but
/// not yet in the journal.
using BlockCompanion = std::function<void(const BlockRecord&)>;

/// A block as it comes out of the networks.
struct RawBlock {
  BlockRecord record;  ///< without its images
  std::vector<RawImage> images;
  int64_t width = 0, height = 0;
  std::optional<BlockRecord> previous;  ///< an earlier attempt, whose undamaged files may stay
  BlockCompanion companion;             ///< may be empty
};

/// Encodes, stores, journals and releases the claim, block after block, on threads of its own.
class BlockWriter {
 public:
  /// `encoders`: threads that encode PNGs. The rest must outlive the writer.
  BlockWriter(const ImageFiles& files, Journal& journal, Claims& claims, const Faults& faults,
              int64_t encoders);
  /// Finishes what was submitted; errors then go unnoticed.
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  /// Waits while two blocks are still to be written. Throws what writing an earlier block threw:
  /// nothing is written after that.
  void submit(RawBlock block);
  /// Waits until everything is written; throws likewise.
  void finish();

 private:
  void work();
  void write(RawBlock& block);
  std::vector<EncodedImage> encode(const RawBlock& block) const;
  void rethrow() const;

  const ImageFiles& files_;
  Journal& journal_;
  Claims& claims_;
  const Faults& faults_;
  int64_t encoders_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<RawBlock> waiting_;
  bool writing_ = false;
  bool ending_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace lazymar
