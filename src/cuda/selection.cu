// Which rows a lazy step recomputes, and moving rows by index.
#include <type_traits>

#include "cuda/rows.h"

namespace lazymar::cuda {
namespace {

constexpr int kThreads = 256;

/// A warp per row, head by head. `In`: the rows' type; sums in X.
template <typename In, typename X>
__global__ void __launch_bounds__(kThreads)
    similarity_kernel(RowShape shape, SimilarityArguments a) {
  const int lane = threadIdx.x % kWarp;
  const int64_t row = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (row >= shape.rows) {
    return;  // the whole warp does
  }
  // On each norm, as in PyTorch's cosine_similarity.
  constexpr X kEps = static_cast<X>(1e-8);
  const In* left = row_of<In>(a.a, row);
  const In* right = row_of<In>(a.b, row);
  const int64_t dim = shape.width / a.heads;
  X total = 0;
  for (int64_t head = 0; head < a.heads; ++head) {
    X product = 0;
    X left_squares = 0;
    X right_squares = 0;
    for (int64_t i = head * dim + lane; i < (head + 1) * dim; i += kWarp) {
      const X x = widened(left[i]);
      const X y = widened(right[i]);
      product += x * y;
      left_squares += x * x;
      right_squares += y * y;
    }
    const X left_norm = root(warp_sum(left_squares));
    const X right_norm = root(warp_sum(right_squares));
    total += warp_sum(product) / (left_norm > kEps ? left_norm : kEps) /
             (right_norm > kEps ? right_norm : kEps);
  }
  if (lane == 0) {
    static_cast<X*>(a.out)[row] = total / static_cast<X>(a.heads);
  }
}

/// Sorts before: the smaller score, NaN last; of equal ones the lower raster position.
template <typename X>
__device__ inline bool sorts_before(X x, int64_t i, X y, int64_t j) {
  const bool x_nan = x != x;
  const bool y_nan = y != y;
  if (x_nan || y_nan) {
    return x_nan == y_nan ? i < j : y_nan;
  }
  return x < y || (x == y && i < j);
}

/// A block per image: every row counts the rows that sort before it. This is quadratic, but has the
/// lowest start-up cost for some hundreds of rows.
template <typename X>
__global__ void __launch_bounds__(kThreads) selection_kernel(SelectionArguments a) {
  X* scores = shared_memory<X>();                          // by raster position
  int* ranks = reinterpret_cast<int*>(scores + a.length);  // by row: its place, or -1: not kept
  const int64_t image = blockIdx.x;
  const X* similarity = row_of<X>(a.similarity, image);
  const int64_t* raster_rows = row_of<int64_t>(a.raster_rows, image);
  for (int64_t i = threadIdx.x; i < a.length; i += kThreads) {
    const int64_t row = raster_rows[i];
    scores[i] = row >= a.first && row < a.protected_end ? X{0} : similarity[row];
  }
  __syncthreads();
  for (int64_t i = threadIdx.x; i < a.length; i += kThreads) {
    int64_t before = 0;
    for (int64_t j = 0; j < a.length; ++j) {
      before += sorts_before(scores[j], j, scores[i], i) ? 1 : 0;
    }
    const int64_t row = raster_rows[i];
    const bool predicted = row >= a.first && row < a.predicted_end;
    // Rows to be predicted come first, then the others by row.
    ranks[row] = before < a.count ? static_cast<int>(predicted ? row : row + a.length) : -1;
  }
  __syncthreads();
  for (int64_t row = threadIdx.x; row < a.length; row += kThreads) {
    if (ranks[row] < 0) {
      continue;
    }
    int64_t place = 0;
    for (int64_t other = 0; other < a.length; ++other) {
      place += ranks[other] >= 0 && ranks[other] < ranks[row] ? 1 : 0;
    }
    a.out[image * a.count + place] = row;
  }
}

/// `width` in words. kToTable: list -> table, else table -> list.
template <typename Word, bool kToTable>
__global__ void __launch_bounds__(kThreads) copy_kernel(RowCopyArguments a, int64_t words) {
  const int64_t index = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= a.images * a.count * words) {
    return;
  }
  const int64_t item = index / words;
  const int64_t word = index % words;
  const int64_t image = item / a.count;
  const int64_t row = row_of<int64_t>(a.index, image)[item % a.count];
  auto* table = reinterpret_cast<Word*>(static_cast<char*>(a.table.data) +
                                        image * a.table.outer_stride + row * a.table.stride);
  auto* list =
      reinterpret_cast<Word*>(static_cast<char*>(a.list.data) + image * a.list.outer_stride +
                              item % a.count * a.list.stride);
  if constexpr (kToTable) {
    table[word] = list[word];
  } else {
    list[word] = table[word];
  }
}

template <typename Word>
bool fits(const RowCopyArguments& a) {
  constexpr auto kBytes = static_cast<int64_t>(sizeof(Word));
  const auto whole = [&](const Rows& rows) {
    return reinterpret_cast<uintptr_t>(rows.data) % kBytes == 0 && rows.stride % kBytes == 0 &&
           rows.outer_stride % kBytes == 0;
  };
  return a.width % kBytes == 0 && whole(a.table) && whole(a.list);
}

template <bool kToTable>
void copy_rows(const RowCopyArguments& a, Stream stream) {
  const auto by = [&](auto word) {
    using Word = decltype(word);
    const int64_t words = a.width / static_cast<int64_t>(sizeof(Word));
    launch(copy_kernel<Word, kToTable>, blocks_of(a.images * a.count * words, kThreads),
           {kThreads, 1, 1}, 0, stream, a, words);
  };
  if (fits<Pack<uint32_t, 4>>(a)) {
    by(Pack<uint32_t, 4>{});
  } else if (fits<uint32_t>(a)) {
    by(uint32_t{});
  } else {
    by(uint16_t{});
  }
}

}  // namespace

void mean_cosine_similarity(Element in, Element out, const RowShape& shape,
                            const SimilarityArguments& a, Stream stream) {
  with_types(out, in, [&]<typename X, typename In>(X, In) {
    launch(similarity_kernel<In, X>, blocks_of(shape.rows, kThreads / kWarp), {kThreads, 1, 1}, 0,
           stream, shape, a);
  });
}

void least_similar_rows(Element type, const SelectionArguments& a, Stream stream) {
  with_types(type, type, [&]<typename X, typename Y>(X, Y) {
    const auto bytes = static_cast<size_t>(a.length) * (sizeof(X) + sizeof(int));
    if constexpr (std::is_same_v<X, Y>) {
      launch(selection_kernel<X>, {static_cast<unsigned>(a.images), 1, 1}, {kThreads, 1, 1}, bytes,
             stream, a);
    }
  });
}

void take_rows(const RowCopyArguments& arguments, Stream stream) {
  copy_rows<false>(arguments, stream);
}

void write_rows(const RowCopyArguments& arguments, Stream stream) {
  copy_rows<true>(arguments, stream);
}

}  // namespace lazymar::cuda
