#include "metrics/numpy_random.h"

#include <bit>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace lazymar {

uint32_t NumpyRandom::interval(uint32_t max) {
  if (max == 0) {
    return 0;  // without a draw, as in numpy
  }
  const uint32_t mask = std::bit_width(max) == 32 ? 0xffffffff : (1U << std::bit_width(max)) - 1;
  while (true) {
    const auto value = static_cast<uint32_t>(generator_()) & mask;
    if (value <= max) {
      return value;
    }
  }
}

std::vector<int64_t> NumpyRandom::permutation(int64_t n) {
  if (n < 0 || n > 0xffffffff) {
    throw Error(ErrorKind::kInternal, concat("a permutation of ", n, " numbers"));
  }
  std::vector<int64_t> numbers(static_cast<size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  for (size_t i = numbers.size(); i-- > 1;) {
    std::swap(numbers[i], numbers[interval(static_cast<uint32_t>(i))]);
  }
  return numbers;
}

std::vector<int64_t> NumpyRandom::choice(int64_t n, int64_t size) {
  if (size > n) {
    throw Error(ErrorKind::kInternal, concat("a choice of ", size, " out of ", n));
  }
  std::vector<int64_t> numbers = permutation(n);
  numbers.resize(static_cast<size_t>(size));
  return numbers;
}

}  // namespace lazymar
