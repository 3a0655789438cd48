#pragma once
/// The part of numpy.random.RandomState that metrics need.

#include <cstdint>
#include <random>
#include <vector>

namespace lazymar {

/// Draws the same values as numpy's legacy generator with the same seed (numpy/random/mtrand.pyx
/// and src/legacy; frozen by NumPy's NEP 19): MT19937 and, for a number in [0, max], the low bits
/// under a mask, redrawn while above max.
class NumpyRandom {
 public:
  explicit NumpyRandom(uint32_t seed) : generator_(seed) {}

  /// RandomState.permutation(n), n < 2^32.
  std::vector<int64_t> permutation(int64_t n);
  /// RandomState.choice(n, size, replace=False): the first `size` of a permutation.
  std::vector<int64_t> choice(int64_t n, int64_t size);

 private:
  uint32_t interval(uint32_t max);

  std::mt19937 generator_;
};

}  // namespace lazymar
