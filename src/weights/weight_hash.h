#pragma once
/// SHA-256 of the weights that a run uses, so that its results can say what made them. No LibTorch
/// here: the hash is taken from the mapped file, whatever has become of the tensors in memory.

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

/// The tensors that a network took out of a file; the views are valid while `mapping` lives.
struct WeightsInUse {
  std::map<std::string, TensorView> tensors;
  std::shared_ptr<const MappedFile> mapping;
};

/// Hashes tensors piece by piece, in the order of their names; of each the length of its name
/// (8 bytes, little-endian), its name, its type's name, the number of its dimensions, its sizes (8
/// bytes each) and its elements in row-major order. So where and how a file holds them does not
/// matter: a checkpoint and its conversion have one hash. Throws Error (internal) where libcrypto
/// fails.
class WeightHasher {
 public:
  explicit WeightHasher(WeightsInUse weights);

  /// Hashes up to 1 MiB; false, once there is nothing left.
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

/// The hash of a run's weights, made in the background: a thread of the scheduler's idle class
/// works while a processor has nothing else to do, and get() does the rest. Dropping the object
/// stops the work within a MiB.
class WeightHash {
 public:
  explicit WeightHash(WeightsInUse weights);
  /// Weights out of no file, known by a statement such as "random weights (seed 1)".
  explicit WeightHash(std::string statement);
  ~WeightHash();

  /// Whether get() has nothing left to do.
  bool ready() const { return ready_; }
  /// The 64 hexadecimal digits, or the statement. Throws what WeightHasher throws. For one thread.
  const std::string& get();

 private:
  void work(const std::stop_token& stop);

  std::unique_ptr<WeightHasher> hasher_;  ///< none for a statement
  std::string text_;
  std::atomic<bool> ready_ = false;
  std::exception_ptr failure_;
  std::jthread thread_;  ///< last, so that it ends before what it works on
};

}  // namespace lazymar
