#pragma once
/// The kernels, as functions over pointers to device memory: no LibTorch here, so that they compile
/// in seconds. Each implements the named operation of nn/ops.h and only enqueues work on the
/// stream. Throws std::runtime_error for types without a kernel and for failed launches.

#include <cstdint>

struct CUstream_st;

namespace lazymar::cuda {

using Stream = CUstream_st*;  ///< cudaStream_t

enum class Element { kFloat, kDouble, kBf16, kHalf };

/// Rows of a tensor [outer, inner, width] whose last dimension is contiguous; strides in elements.
struct Rows {
  void* data = nullptr;
  int64_t inner = 1;
  int64_t outer_stride = 0;
  int64_t stride = 0;
};

/// Widths and counts of a launch over rows, with the types of x and of products.
struct RowShape {
  int64_t rows = 0;
  int64_t width = 0;
  Element x = Element::kFloat;
  Element product = Element::kFloat;
};

/// layer_norm and modulated_norm: out [rows, width] of the product type. weight and bias may be
/// null; so may shift and scale, of the product type. add_norm: if `added` is given (of the product
/// type), x + added is normed and stored in sum [rows, width].
struct NormArguments {
  Rows x;
  const void* weight = nullptr;
  const void* bias = nullptr;
  Rows shift, scale;
  void* out = nullptr;
  double eps = 1e-6;
  Rows added;
  void* sum = nullptr;
};
void norm_rows(const RowShape& shape, const NormArguments& arguments, Stream stream);

/// add, add_in_place and add_gated: out = x + y, or x + gate * y if there is a gate; y and gate of
/// the product type; out may be x.
struct AddArguments {
  Rows x, gate, y, out;
};
void add_rows(const RowShape& shape, const AddArguments& arguments, Stream stream);

/// silu_of_sums: a and b of x's type, out [rows of a, rows of b, width] of the product type.
/// shape.rows counts the rows of out.
struct SumArguments {
  Rows a, b;
  int64_t b_rows = 0;
  void* out = nullptr;
};
void silu_of_sums(const RowShape& shape, const SumArguments& arguments, Stream stream);

/// gated_sums: out[k][r] = sum of residual[r] + sum of gate[k][r] * value[r], out [steps, rows,
/// width] of x's type.
struct GatedSumArguments {
  static constexpr int kMost = 16;
  const void* residuals[kMost] = {};  ///< [rows, width] of x's type, contiguous
  const void* values[kMost] = {};     ///< [rows, width] of the product type, contiguous
  Rows gates[kMost];                  ///< [steps, rows, width] of the product type
  int residual_count = 0;
  int gate_count = 0;
  int64_t steps = 0;
  void* out = nullptr;
};
void gated_sums(const RowShape& shape, const GatedSumArguments& arguments, Stream stream);

/// group_norm and group_norm_silu: x [images, pixels, channels] -> out of the same shape. `in`: x's
/// type, `weights`: that of weight and bias. `partials` [images, chunks, groups, 2] and `scales`
/// [images, channels, 2] are scratch memory.
struct GroupNormArguments {
  const void* x = nullptr;
  const void* weight = nullptr;
  const void* bias = nullptr;
  void* out = nullptr;
  double* partials = nullptr;
  double* scales = nullptr;
  int64_t images = 0, pixels = 0, channels = 0, groups = 0;
  double eps = 1e-6;
  bool silu = false;
};
int64_t group_norm_chunks(int64_t pixels);
void group_norm(Element in, Element weights, Element out, const GroupNormArguments& arguments,
                Stream stream);

/// mean_cosine_similarity: `in`: the rows' type, `out`: the result's, in which it is computed.
struct SimilarityArguments {
  Rows a, b;
  int64_t heads = 0;
  void* out = nullptr;  ///< [rows]
};
void mean_cosine_similarity(Element in, Element out, const RowShape& shape,
                            const SimilarityArguments& arguments, Stream stream);

/// least_similar_rows: similarity and raster_rows [images, length], out [images, count].
struct SelectionArguments {
  static constexpr int64_t kMostRows = 4096;  ///< limited by shared memory
  Rows similarity;
  Rows raster_rows;  ///< int64
  int64_t* out = nullptr;
  int64_t images = 0, length = 0, count = 0;
  int64_t first = 0, predicted_end = 0, protected_end = 0;
};
void least_similar_rows(Element type, const SelectionArguments& arguments, Stream stream);

/// take_rows and write_rows, by bytes: rows of `width` bytes; strides of the tensors in bytes.
struct RowCopyArguments {
  Rows table;  ///< [images, *, width]
  Rows index;  ///< [images, count] int64
  Rows list;   ///< [images, count, width]
  int64_t images = 0, count = 0, width = 0;
};
void take_rows(const RowCopyArguments& arguments, Stream stream);
void write_rows(const RowCopyArguments& arguments, Stream stream);

/// to_bytes: images [images, 3, height, width] of any strides -> out [images, height, width, 3].
struct ByteArguments {
  const void* x = nullptr;
  uint8_t* out = nullptr;
  int64_t images = 0, channels = 0, height = 0, width = 0;
  int64_t strides[4] = {};
};
void to_bytes(Element type, const ByteArguments& arguments, Stream stream);

/// draw_normals: out [steps + 1, images, rows, channels] fp32; slot t holds the noise of diffusion
/// step t, drawn by its key, slot `steps` the starting noise.
struct NormalArguments {
  uint32_t key0 = 0, key1 = 0;
  const int64_t* ids = nullptr;   ///< [images]
  Rows positions;                 ///< [images, rows] int64
  const int64_t* keys = nullptr;  ///< [steps]
  int64_t decoding_step = 0;
  int64_t steps = 0, images = 0, rows = 0, channels = 0;
  float* out = nullptr;
};
void draw_normals(const NormalArguments& arguments, Stream stream);

/// head_mlp, in two launches: up to 16 rows of x's type fp32, products in bf16 or fp16.
struct HeadMlpArguments {
  NormArguments norm;  ///< its x is h; shift and scale are given, out is unused
  Rows gate;           ///< [rows, width] of the product type
  const void *fc1_weight = nullptr, *fc1_bias = nullptr;  ///< [width, width], [width]
  const void *fc2_weight = nullptr, *fc2_bias = nullptr;  ///< all of the product type
  void* hidden = nullptr;  ///< scratch, [rows, width] of the product type
  void* mlp = nullptr;     ///< fc2's output, [rows, width] of the product type
  void* out = nullptr;     ///< h + gate * mlp, [rows, width]
  int64_t rows = 0, width = 0;
};
/// True if there is a kernel for the shape. Weights (norm's weight and bias too), hidden and norm.x
/// must be aligned to 16 bytes, row by row, and norm's other rows to four elements.
bool has_head_mlp(Element x, Element product, int64_t rows, int64_t width);
void head_mlp(Element product, const HeadMlpArguments& arguments, Stream stream);

/// head_blocks, in one launch: head_mlp of each; a block's norm.x is the `out` before it.
struct HeadBlocksArguments {
  static constexpr int kMost = 12;  ///< their arguments fit in those of a kernel, 4 KiB
  HeadMlpArguments blocks[kMost];
  int count = 0;
};
/// True if there is a kernel for so many blocks, and if this device holds all of its thread blocks
/// at once, as they wait for each other. What each block needs is said at has_head_mlp().
bool has_head_blocks(Element product, int64_t rows, int64_t width, int64_t count);
void head_blocks(Element product, const HeadBlocksArguments& arguments, Stream stream);

/// reverse_step: x, eps, v, noise, previous_x0, out and x0 [rows, channels] of one type; noise,
/// previous_x0 and x0 may be null.
struct ReverseArguments {
  Rows x, eps, v, noise, previous_x0;
  const void* coefficients = nullptr;  ///< [8]
  void* out = nullptr;
  void* x0 = nullptr;
  int64_t rows = 0, channels = 0;
  double temperature = 1.0;
};
void reverse_step(Element type, const ReverseArguments& arguments, Stream stream);

/// head_window: several diffusion steps of independent rows.
struct WindowArguments {
  const void* x = nullptr;             ///< [rows, channels]
  Rows sums;                           ///< [steps, rows, width]
  Rows modulation;                     ///< [steps, rows, 2 width]: shift, scale; product type
  const void* noise = nullptr;         ///< [*, rows, channels], by diffusion step
  const void* difference = nullptr;    ///< [rows, channels], or null without guidance
  const void* guidance = nullptr;      ///< one value
  const void* in_columns = nullptr;    ///< [channels, width]
  const void* in_bias = nullptr;       ///< [width]
  const void* out_weight = nullptr;    ///< [2 channels, width]
  const void* out_bias = nullptr;      ///< [2 channels]
  const void* coefficients = nullptr;  ///< [*, 8], by diffusion step
  void* out = nullptr;                 ///< [rows, channels]
  int64_t rows = 0, width = 0, channels = 0;
  int64_t first = 0;  ///< diffusion step of the first of `steps` steps, which count down
  int64_t steps = 0;
  double eps = 1e-6, temperature = 1.0;
};
/// True if a row of this shape fits in a block's shared memory.
bool has_head_window(Element type, int64_t width, int64_t channels);
void head_window(Element type, Element product, const WindowArguments& arguments, Stream stream);

}  // namespace lazymar::cuda
