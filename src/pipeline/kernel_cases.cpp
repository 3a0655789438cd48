#include "pipeline/kernel_cases.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "cache/row_ops.h"
#include "nn/device_ops.h"
#include "nn/ops.h"
#include "nn/plain_ops.h"
#include "pipeline/kernel_inputs.h"
#include "vae/pixels.h"

namespace lazymar {
namespace {

constexpr double kEps = 1e-6;

/// Of rounding a value of the type once or twice.
double tolerance_of(c10::ScalarType product) {
  switch (product) {
    case c10::kDouble:
      return 1e-12;
    case c10::kBFloat16:
      return 1e-2;
    case c10::kHalf:
      return 2e-3;
    default:
      return 5e-6;
  }
}

using Cases = std::vector<KernelCase>;

void add_norms(Cases& cases, const KernelShapes& s, KernelInputs& in) {
  const double tolerance = tolerance_of(s.product);
  const at::Tensor x = in.normal({s.images, s.rows, s.width}, s.type) * 3 + 1;
  const at::Tensor y = in.normal({s.images, s.rows, s.width}, s.product);
  const at::Tensor weight = in.normal({s.width}, s.type);
  const at::Tensor bias = in.normal({s.width}, s.type);
  const c10::ScalarType type = s.product;
  const std::string shape = shape_text(x);
  cases.push_back({"layer_norm", "norm", shape, tolerance,
                   [=] { return Tensors{lazymar::layer_norm(x, weight, bias, kEps, type)}; },
                   [=] { return Tensors{plain::layer_norm(x, weight, bias, kEps, type)}; }});
  cases.push_back({"add_norm", "add_norm", shape, tolerance,
                   [=] {
                     const SumAndNorm made = lazymar::add_norm(x, y, weight, bias, kEps, type);
                     return Tensors{made.sum, made.normed};
                   },
                   [=] {
                     const at::Tensor sum = plain::add(x, y);
                     return Tensors{sum, plain::layer_norm(sum, weight, bias, kEps, type)};
                   }});
  cases.push_back({"add", "add", shape, tolerance, [=] { return Tensors{lazymar::add(x, y)}; },
                   [=] { return Tensors{plain::add(x, y)}; }});
}

void add_row_moves(Cases& cases, const KernelShapes& s, KernelInputs& in) {
  const at::Tensor table = in.normal({s.images, s.rows, 2 * s.width}, s.product);
  const int64_t count = (s.rows + 1) / 2;
  const at::Tensor rows = in.permutations(s.images, s.rows).narrow(1, 0, count);
  const at::Tensor source = in.normal({s.images, count, 2 * s.width}, s.product);
  cases.push_back({"take_rows", "take_rows", shape_text(table), 0,
                   [=] { return Tensors{lazymar::take_rows(table, rows)}; },
                   [=] { return Tensors{plain::take_rows(table, rows)}; }});
  const auto written = [=](const auto& write) {
    at::Tensor target = table.clone();
    write(target, rows, source);
    return Tensors{target};
  };
  cases.push_back({"write_rows", "write_rows", shape_text(table), 0,
                   [=] { return written(lazymar::write_rows); },
                   [=] { return written(plain::write_rows); }});
}

void add_row_choice(Cases& cases, const KernelShapes& s, KernelInputs& in) {
  const at::Tensor a = in.normal({s.images, s.rows, s.width}, s.product);
  const at::Tensor b = in.normal({s.images, s.rows, s.width}, s.product);
  const int64_t heads = s.heads;
  cases.push_back({"mean_cosine_similarity", "mean_cosine_similarity", shape_text(a),
                   s.type == c10::kDouble ? 1e-12 : 5e-6,
                   [=] { return Tensors{lazymar::mean_cosine_similarity(a, b, heads)}; },
                   [=] { return Tensors{plain::mean_cosine_similarity(a, b, heads)}; }});
  // Few different scores, so that most rows tie with others.
  const at::Tensor scores = (in.normal({s.images, s.rows}, s.type) * 2).round() / 2;
  const at::Tensor raster = in.permutations(s.images, s.rows);
  const RowSelection selection{s.rows / 4, s.rows / 3, s.rows / 2, (s.rows + 2) / 3};
  cases.push_back({"least_similar_rows", "least_similar_rows", shape_text(scores), 0,
                   [=] { return Tensors{lazymar::least_similar_rows(scores, raster, selection)}; },
                   [=] { return Tensors{plain::least_similar_rows(scores, raster, selection)}; }});
}

void add_head_rows(Cases& cases, const KernelShapes& s, KernelInputs& in) {
  const double tolerance = tolerance_of(s.product);
  const at::Tensor x = in.normal({s.head_rows, s.head_width}, s.type) * 2 + 1;
  const at::Tensor all = in.normal({s.head_rows, 3 * s.head_width}, s.product) * 0.5;
  const auto parts = all.chunk(3, -1);
  const at::Tensor &shift = parts[0], &scale = parts[1], &gate = parts[2];
  const at::Tensor y = in.normal({s.head_rows, s.head_width}, s.product);
  const std::string shape = shape_text(x);
  cases.push_back({"modulated_norm", "norm", shape, 2 * tolerance,
                   [=] { return Tensors{lazymar::modulated_norm(x, {}, {}, kEps, shift, scale)}; },
                   [=] { return Tensors{plain::modulated_norm(x, {}, {}, kEps, shift, scale)}; }});
  cases.push_back({"add_gated", "add", shape, tolerance,
                   [=] { return Tensors{lazymar::add_gated(x, gate, y)}; },
                   [=] { return Tensors{plain::add_gated(x, gate, y)}; }});
  const int64_t few = std::min<int64_t>(8, s.head_rows);
  const at::Tensor a = in.normal({few, s.head_width}, s.type) * 8;
  const at::Tensor b = in.normal({few, s.head_width}, s.type);
  const c10::ScalarType type = s.product;
  cases.push_back({"silu_of_sums", "silu_of_sums", shape_text(a), tolerance,
                   [=] { return Tensors{lazymar::silu_of_sums(a, b, type)}; },
                   [=] { return Tensors{plain::silu_of_sums(a, b, type)}; }});
  GatedSums sums;
  sums.type = s.type;
  for (int i = 0; i < 4; ++i) {
    sums.gates.push_back(in.normal({2, s.head_rows, s.head_width}, s.product));
    sums.values.push_back(in.normal({s.head_rows, s.head_width}, s.product));
    sums.residuals.push_back(in.normal({s.head_rows, s.head_width}, s.type));
  }
  cases.push_back({"gated_sums", "gated_sums", shape_text(sums.gates[0]), 5 * tolerance,
                   [=] { return Tensors{lazymar::gated_sums(sums)}; },
                   [=] { return Tensors{plain::gated_sums(sums)}; }});
}

void add_solver_step(Cases& cases, const KernelShapes& s, KernelInputs& in) {
  ReverseStep step;
  const std::vector<int64_t> sizes{s.head_rows, s.channels};
  step.x = in.normal(sizes, s.type);
  step.eps = in.normal(sizes, s.type);
  step.v = in.normal(sizes, s.type);
  step.noise = in.normal(sizes, s.type);
  step.previous_x0 = in.normal(sizes, s.type);
  step.coefficients = in.normal({8}, s.type) * 0.2 + 0.3;
  step.temperature = 0.9;
  step.keep_x0 = true;
  const auto both = [](const Reversed& made) { return Tensors{made.x, made.x0}; };
  cases.push_back({"reverse_step", "reverse_step", shape_text(step.x),
                   s.type == c10::kDouble ? 1e-12 : 5e-6, [=] { return both(reverse_step(step)); },
                   [=] { return both(plain::reverse_step(step)); }});
}

void add_pixels(Cases& cases, const KernelShapes& s, KernelInputs& in) {
  for (const int64_t side : {s.img_size / 16, s.img_size}) {
    const int64_t height = std::max<int64_t>(1, side);
    const at::Tensor x = in.normal({1, height, height, s.vae_width}, s.product) * 2 + 1;
    const at::Tensor weight = in.normal({s.vae_width}, s.type);
    const at::Tensor bias = in.normal({s.vae_width}, s.type);
    const c10::ScalarType type = s.product, own = s.type;
    const int64_t groups = s.vae_groups;
    const double tolerance = std::max(tolerance_of(s.product), own == c10::kFloat ? 3e-5 : 0.0);
    cases.push_back(
        {"group_norm", "group_norm", shape_text(x), tolerance,
         [=] { return Tensors{lazymar::group_norm(x, weight, bias, groups, kEps, type)}; },
         [=] { return Tensors{plain::group_norm(x, weight, bias, groups, kEps, own).to(type)}; }});
    cases.push_back(
        {"group_norm_silu", "group_norm", shape_text(x), tolerance,
         [=] { return Tensors{lazymar::group_norm_silu(x, weight, bias, groups, kEps, type)}; },
         [=] {
           return Tensors{at::silu(plain::group_norm(x, weight, bias, groups, kEps, own)).to(type)};
         }});
  }
  const at::Tensor images = in.normal({2, 3, s.img_size, s.img_size}, s.type);
  cases.push_back({"to_bytes", "to_bytes", shape_text(images), 0,
                   [=] { return Tensors{lazymar::to_bytes(images)}; },
                   [=] { return Tensors{plain::to_bytes(images)}; }});
}

void add_noise(Cases& cases, const KernelShapes& s, KernelInputs& in, c10::Device device) {
  if (!draws_normals(device.type())) {
    return;  // the CPU draws, which is the twin
  }
  const auto draw = std::make_shared<NoiseComparison>(in, s.images, s.channels);
  cases.push_back({"draw_normals", "draw_normals", draw->shape(), 0,
                   [=] { return Tensors{draw->own()}; }, [=] { return Tensors{draw->twin()}; }});
}

/// Only CPUs have loops for these; a GPU computes them by ATen.
void add_cpu_loops(Cases& cases, const KernelShapes& s, KernelInputs& in) {
  const at::Tensor x = in.normal({s.head_rows, s.head_width}, s.type) * 8;
  cases.push_back({"silu", "", shape_text(x), s.type == c10::kDouble ? 1e-12 : 5e-6,
                   [=] { return Tensors{lazymar::silu(x)}; },
                   [=] { return Tensors{at::silu(x)}; }});
  const at::Tensor q = in.normal({1, s.rows, s.width}, s.product);
  const at::Tensor kv = in.normal({1, s.rows, 2 * s.width}, s.product);
  const int64_t heads = s.heads;
  cases.push_back(
      {"attention", "", shape_text(q), 2 * tolerance_of(s.product),
       [=] { return Tensors{lazymar::attention(q, kv, heads)}; },
       [=] {
         return Tensors{
             plain::attention(q.to(c10::kDouble), kv.to(c10::kDouble), heads).to(q.scalar_type())};
       }});
}

}  // namespace

KernelShapes shapes_of(const Mar& mar, const KlDecoder* vae, int64_t images) {
  constexpr int64_t kMostValues = int64_t{1} << 21;
  const MarConfig& config = mar.config;
  KernelShapes s;
  s.rows = config.rows();
  s.width = config.decoder_dim;
  s.heads = config.decoder_heads;
  s.images = std::clamp<int64_t>(kMostValues / (s.rows * s.width), 1, images);
  s.head_width = config.head_width;
  s.head_rows = std::clamp<int64_t>(kMostValues / s.head_width, 1, 4 * images);
  s.channels = config.token_channels;
  s.type = mar.class_emb.scalar_type();
  s.product = mar.head.blocks.empty() ? s.type : mar.head.blocks.front().fc1.input_type();
  if (vae != nullptr) {
    s.vae_width = vae->config.level_widths.front();
    s.vae_groups = vae->config.groups;
    s.img_size = vae->config.stride() *
                 std::max<int64_t>(1, static_cast<int64_t>(std::sqrt(config.sequence_length)));
  }
  return s;
}

std::vector<KernelCase> kernel_cases(const KernelShapes& shapes, c10::Device device) {
  Cases cases;
  KernelInputs in(device);
  add_norms(cases, shapes, in);
  add_row_moves(cases, shapes, in);
  add_head_rows(cases, shapes, in);
  add_solver_step(cases, shapes, in);
  add_pixels(cases, shapes, in);
  add_noise(cases, shapes, in, device);
  if (device.is_cpu()) {
    add_cpu_loops(cases, shapes, in);
  }
  if (has_own_kernels(device.type())) {
    add_row_choice(cases, shapes, in);
  } else {  // a CPU has no loops for these, either
    std::erase_if(cases, [](const KernelCase& one) {
      return one.operation == "gated_sums" || one.operation == "to_bytes";
    });
  }
  return cases;
}

std::vector<KernelCase> head_cases(const KernelShapes& s, const DiffusionHead& head,
                                   c10::Device device) {
  Cases cases;
  if (head.blocks.empty()) {
    return cases;
  }
  KernelInputs in(device);
  const HeadBlock& block = head.blocks.front();
  constexpr int64_t kFewRows = 16;  // the kernel's limit
  HeadMlp mlp{&block.in_ln, &block.fc1, &block.fc2,
              in.normal({std::min(kFewRows, s.head_rows), s.head_width}, s.type),
              in.normal({std::min(kFewRows, s.head_rows), 3 * s.head_width}, s.product) * 0.5};
  const auto both = [](const HeadMlpOutput& made) { return Tensors{made.mlp, made.h}; };
  // The kernel itself: where none fits, the operation is made of others, which have their own
  // cases.
  const auto own = [=] {
    const auto* kernels = device_ops<HeadDeviceOps>(mlp.h);
    const auto made = kernels != nullptr ? kernels->head_mlp(mlp) : std::nullopt;
    return both(made ? *made : plain::head_mlp(mlp));
  };
  cases.push_back({"head_mlp", "head_mlp", shape_text(mlp.h), 3 * tolerance_of(s.product), own,
                   [=] { return both(plain::head_mlp(mlp)); }});
  std::vector<HeadMlp> several;
  constexpr size_t kBlocks = 3;
  for (size_t i = 0; i < std::min(kBlocks, head.blocks.size()); ++i) {
    const HeadBlock& of = head.blocks[i];
    several.push_back({&of.in_ln, &of.fc1, &of.fc2, i == 0 ? mlp.h : at::Tensor(),
                       in.normal(mlp.modulation.sizes(), s.product) * 0.5});
  }
  const auto all = [](const HeadBlocksOutput& made) { return Tensors{made.mlps, made.hs}; };
  cases.push_back({"head_blocks", "head_blocks", shape_text(mlp.h), 9 * tolerance_of(s.product),
                   [=] {
                     const auto* kernels = device_ops<HeadDeviceOps>(mlp.h);
                     const auto made =
                         kernels != nullptr ? kernels->head_blocks(several) : std::nullopt;
                     return all(made ? *made : plain::head_blocks(several));
                   },
                   [=] { return all(plain::head_blocks(several)); }});
  const auto window = std::make_shared<HeadWindow>(window_of(head, s, in));
  if (has_head_window(window->x, s.head_width)) {
    cases.push_back({"head_window", "head_window", shape_text(window->sums),
                     s.type == c10::kDouble ? 1e-11 : 5e-5,
                     [=] { return Tensors{lazymar::head_window(*window)}; },
                     [=] { return Tensors{plain::head_window(*window)}; }});
  }
  return cases;
}

}  // namespace lazymar
