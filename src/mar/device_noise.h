#pragma once
/// Noise drawn by the device itself, and the table of its kernels (nn/device_ops.h).

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace lazymar {

/// The normal values of a decoding step, as PhiloxNoise (core/noise.h) draws them.
struct NormalDraw {
  std::array<uint32_t, 2> key;
  at::Tensor ids;        ///< [B] int64: image ids
  at::Tensor positions;  ///< [B, n] int64: raster positions
  int64_t decoding_step = 0;
  at::Tensor keys;       ///< [T] int64: what each diffusion step's noise is drawn by
  int64_t channels = 0;  ///< C
};

/// True if the device draws the noise; otherwise it comes from core/noise.h.
bool draws_normals(c10::DeviceType device);

/// [T + 1, B * n, C] fp32 on the device of `positions`: by diffusion step, then the starting noise.
at::Tensor draw_normals(const NormalDraw& draw);

struct NoiseDeviceOps {
  at::Tensor (*draw_normals)(const NormalDraw& draw) = nullptr;
};

}  // namespace lazymar
