#pragma once
/// SHA-256 of the weights that a run uses, to identify them in its results. No LibTorch here: the
/// hash is computed from the mapped file, not from the tensors in memory.

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "files/mapped_file.h"
#include "files/sha256.h"
#include "formats/weight_content.h"

namespace lazymar {

/// The tensors that a network took from a file; the views are valid while `owner` exists.
struct WeightsInUse {
  std::map<std::string, TensorView> tensors;
  std::shared_ptr<const void> owner;
};

/// Hashes tensors in the order of their names: for each, the length of its name (8 bytes,
/// little-endian), its name, its type's name, the number of its dimensions, its sizes (8 bytes
/// each) and its elements in row-major order. So the layout of the file does not matter: a
/// checkpoint and its conversion have the same hash. Throws Error (internal) if libcrypto fails.
class WeightHasher {
 public:
  explicit WeightHasher(WeightsInUse weights);

  /// Hashes up to 1 MiB; false if nothing is left.
  bool step();
  /// 64 hexadecimal digits, after the last step.
  std::string digest();

 private:
  void update(const void* data, size_t size);
  void update_number(uint64_t number);
  void update_elements(const TensorView& view, int64_t first, int64_t count);

  WeightsInUse weights_;
  Sha256 hash_;
  std::map<std::string, TensorView>::const_iterator tensor_;  ///< the one being hashed
  int64_t element_ = 0;  ///< its next element, in row-major order
};

/// The hash of a run's weights, computed in the background by a thread of the scheduler's idle
/// class; get() does the rest. Destroying the object stops the work within a MiB.
class WeightHash {
 public:
  explicit WeightHash(WeightsInUse weights);
  /// Weights without a file, identified by a text such as "random weights (seed 1)".
  explicit WeightHash(std::string statement);
  ~WeightHash();

  /// Whether the hash is complete.
  bool ready() const { return ready_; }
  /// The 64 hexadecimal digits, or the text. Throws what WeightHasher throws. Not thread-safe.
  const std::string& get();

 private:
  void work(const std::stop_token& stop);

  std::unique_ptr<WeightHasher> hasher_;  ///< none for a text
  std::string text_;
  std::atomic<bool> ready_ = false;
  std::exception_ptr failure_;
  std::jthread thread_;  ///< last, so that it ends before the data it uses
};

}  // namespace lazymar
