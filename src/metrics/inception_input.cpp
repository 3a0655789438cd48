#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "metrics/inception.h"

// Compiled without contraction into fused multiply-adds: the bits are torch-fidelity's.

namespace lazymar {
namespace {

constexpr int64_t kChannels = 3;

/// Where an output pixel's two sources lie along one side, and how far it is from the first.
struct Taps {
  std::vector<int64_t> low, high;
  std::vector<float> fraction;

  Taps(int64_t in, int64_t out) {
    const auto scale = static_cast<float>(static_cast<double>(in) / static_cast<double>(out));
    for (int64_t i = 0; i < out; ++i) {
      const float place = static_cast<float>(i) * scale;
      low.push_back(static_cast<int64_t>(place));
      high.push_back(std::min(low.back() + 1, in - 1));
      fraction.push_back(place - static_cast<float>(low.back()));
    }
  }
};

/// One row of pixels [W, 3], resized along its side.
void resize_row(const uint8_t* row, const Taps& columns, float* out) {
  const auto side = columns.low.size();
  for (size_t x = 0; x < side; ++x) {
    const uint8_t* const low = row + columns.low[x] * kChannels;
    const uint8_t* const high = row + columns.high[x] * kChannels;
    for (int64_t c = 0; c < kChannels; ++c) {
      const auto first = static_cast<float>(low[c]);
      *out++ = first + (static_cast<float>(high[c]) - first) * columns.fraction[x];
    }
  }
}

/// One picture [H, W, 3] to [side, side, 3].
void resize_picture(const uint8_t* pixels, int64_t width, const Taps& rows, const Taps& columns,
                    float* out) {
  const size_t row_size = columns.low.size() * kChannels;
  // Neighbouring output rows see the same input rows: the last two are kept.
  std::array<std::vector<float>, 2> kept{std::vector<float>(row_size),
                                         std::vector<float>(row_size)};
  std::array<int64_t, 2> index{-1, -1};
  const auto resized = [&](int64_t row, int64_t other) -> const float* {
    for (size_t i = 0; i < kept.size(); ++i) {
      if (index[i] == row) {
        return kept[i].data();
      }
    }
    const size_t free = index[0] == other ? 1 : 0;
    index[free] = row;
    resize_row(pixels + row * width * kChannels, columns, kept[free].data());
    return kept[free].data();
  };
  for (size_t y = 0; y < rows.low.size(); ++y) {
    const float* const low = resized(rows.low[y], rows.high[y]);
    const float* const high = resized(rows.high[y], rows.low[y]);
    const float fraction = rows.fraction[y];
    for (size_t i = 0; i < row_size; ++i) {
      const float value = low[i] + (high[i] - low[i]) * fraction;
      out[i] = (value - 128) / 128;
    }
    out += row_size;
  }
}

at::Tensor resize_on_cpu(const at::Tensor& pixels, const Taps& rows, const Taps& columns,
                         int64_t side) {
  const at::Tensor in = pixels.contiguous();
  at::Tensor out =
      at::empty({in.size(0), side, side, kChannels}, at::TensorOptions().dtype(c10::kFloat));
  const int64_t in_size = in.size(1) * in.size(2) * kChannels;
  const int64_t out_size = side * side * kChannels;
  at::parallel_for(0, in.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      resize_picture(in.const_data_ptr<uint8_t>() + i * in_size, in.size(2), rows, columns,
                     out.mutable_data_ptr<float>() + i * out_size);
    }
  });
  return out;
}

/// The same by plain ATen, for other devices.
at::Tensor resize_by_aten(const at::Tensor& pixels, const Taps& rows, const Taps& columns) {
  const auto on_device = [&](const auto& values, c10::ScalarType type) {
    return at::tensor(values).to(pixels.device(), type);
  };
  const auto lerp = [](const at::Tensor& a, const at::Tensor& b, const at::Tensor& t) {
    return a + (b - a) * t;
  };
  const auto along = [&](const at::Tensor& x, const Taps& taps, int64_t dim,
                         at::IntArrayRef shape) {
    return lerp(x.index_select(dim, on_device(taps.low, c10::kLong)),
                x.index_select(dim, on_device(taps.high, c10::kLong)),
                on_device(taps.fraction, c10::kFloat).view(shape));
  };
  const at::Tensor wide = along(pixels.to(c10::kFloat), columns, 2, {1, 1, -1, 1});
  return (along(wide, rows, 1, {1, -1, 1, 1}) - 128) / 128;
}

}  // namespace

at::Tensor inception_input(const at::Tensor& pixels, int64_t side) {
  const Taps rows(pixels.size(1), side);
  const Taps columns(pixels.size(2), side);
  const at::Tensor resized = pixels.is_cpu() ? resize_on_cpu(pixels, rows, columns, side)
                                             : resize_by_aten(pixels, rows, columns);
  return resized.permute({0, 3, 1, 2});
}

}  // namespace lazymar
