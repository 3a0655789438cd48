#pragma once
/// Each operation that has code of its own, with its twin in plain ATen, on the shapes of a model:
/// kernels on a GPU, vectorised loops on a CPU.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mar/mar.h"
#include "vae/kl_decoder.h"

namespace lazymar {

/// What an operation is run on.
struct KernelShapes {
  int64_t images = 1;                     ///< of a batch, both halves of guidance
  int64_t rows = 1;                       ///< of an image
  int64_t width = 1;                      ///< of a row of the transformer
  int64_t heads = 1;                      ///< of attention
  int64_t head_rows = 1;                  ///< of the diffusion head, in a step
  int64_t head_width = 1;                 ///< of its rows
  int64_t channels = 1;                   ///< of a token
  int64_t vae_width = 1;                  ///< channels of the VAE's pixels
  int64_t vae_groups = 1;                 ///< of its GroupNorms
  int64_t img_size = 1;                   ///< pixels of an image's side
  c10::ScalarType type = c10::kFloat;     ///< of activations
  c10::ScalarType product = c10::kFloat;  ///< of what goes into products
};

/// The shapes of a model whose batches have `images` images, both halves counted. `vae`: null to
/// leave it out. Rows are cut so that no operation takes more than a few million values.
KernelShapes shapes_of(const Mar& mar, const KlDecoder* vae, int64_t images);

struct KernelCase {
  std::string operation;  ///< "layer_norm"
  std::string entry;      ///< of the device's tables: "norm"
  std::string shape;
  double tolerance = 0;  ///< of max |own - twin| / (1 + |twin|); 0: every bit must be equal
  std::function<std::vector<at::Tensor>()> own, twin;
};

/// The cases for a device, with random inputs there.
std::vector<KernelCase> kernel_cases(const KernelShapes& shapes, c10::Device device);
/// Those of the diffusion head that need its weights; `shapes` as above, the head there.
std::vector<KernelCase> head_cases(const KernelShapes& shapes, const DiffusionHead& head,
                                   c10::Device device);

}  // namespace lazymar
