// Normal values in, pixels out.
#include <type_traits>

#include "core/philox.h"
#include "cuda/rows.h"

namespace lazymar::cuda {
namespace {

constexpr int kThreads = 128;

/// Four channels of a token at one diffusion step each.
__global__ void __launch_bounds__(kThreads) normals_kernel(NormalArguments a) {
  const int64_t fours = (a.channels + 3) / 4;
  const int64_t index = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= (a.steps + 1) * a.images * a.rows * fours) {
    return;
  }
  const int64_t four = index % fours;
  const int64_t place = index / fours;  // in [steps + 1, images, rows]
  const int64_t row = place % a.rows;
  const int64_t image = place / a.rows % a.images;
  const int64_t step = place / a.rows / a.images;
  const bool start = step == a.steps;
  const uint32_t steps = philox::pack(start ? philox::Purpose::kStart : philox::Purpose::kLoop,
                                      a.decoding_step, start ? 0 : a.keys[step]);
  float values[4];
  philox::normal_four(static_cast<uint32_t>(four),
                      static_cast<uint32_t>(row_of<int64_t>(a.positions, image)[row]), steps,
                      static_cast<uint32_t>(a.ids[image]), a.key0, a.key1, values);
  for (int64_t i = 0; i < 4 && 4 * four + i < a.channels; ++i) {
    a.out[place * a.channels + 4 * four + i] = values[i];
  }
}

__device__ inline float nearest(float x) {
  return rintf(x);  // half to even
}
__device__ inline double nearest(double x) {
  return rint(x);
}

/// The same operations as the twin's: (x + 1) / 2 * 255, clipped, rounded. NaN becomes 0.
template <typename X>
__global__ void __launch_bounds__(kThreads) bytes_kernel(ByteArguments a) {
  const int64_t index = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= a.images * a.channels * a.height * a.width) {
    return;
  }
  const int64_t channel = index % a.channels;
  const int64_t column = index / a.channels % a.width;
  const int64_t row = index / a.channels / a.width % a.height;
  const int64_t image = index / a.channels / a.width / a.height;
  const X x = static_cast<const X*>(a.x)[image * a.strides[0] + channel * a.strides[1] +
                                         row * a.strides[2] + column * a.strides[3]];
  const X value = (x + X{1}) / X{2} * X{255};
  const X clipped = value > X{255} ? X{255} : value > X{0} ? value : X{0};
  a.out[index] = static_cast<uint8_t>(nearest(clipped));
}

}  // namespace

void draw_normals(const NormalArguments& a, Stream stream) {
  const int64_t fours = (a.channels + 3) / 4;
  launch(normals_kernel, blocks_of((a.steps + 1) * a.images * a.rows * fours, kThreads),
         {kThreads, 1, 1}, 0, stream, a);
}

void to_bytes(Element type, const ByteArguments& a, Stream stream) {
  with_types(type, type, [&]<typename X, typename Y>(X, Y) {
    if constexpr (std::is_same_v<X, Y>) {
      launch(bytes_kernel<X>, blocks_of(a.images * a.channels * a.height * a.width, kThreads),
             {kThreads, 1, 1}, 0, stream, a);
    }
  });
}

}  // namespace lazymar::cuda
