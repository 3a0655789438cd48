#include "cuda/device_ops.h"

#include <utility>

#include "cuda/head_ops.h"
#include "cuda/row_ops.h"
#include "cuda/tensors.h"
#include "nn/plain_ops.h"

namespace lazymar::cuda {
namespace {

at::Tensor similarity(const at::Tensor& a, const at::Tensor& b, int64_t heads) {
  const c10::ScalarType type = a.scalar_type() == c10::kDouble ? c10::kDouble : c10::kFloat;
  if (!has_kernel(type, a.scalar_type()) || a.scalar_type() != b.scalar_type() || a.numel() == 0) {
    return plain::mean_cosine_similarity(a, b, heads);
  }
  const RowsOf left(a);
  const RowsOf right(b);
  at::Tensor out = at::empty({a.size(0), a.size(1)}, a.options().dtype(type));
  const RowShape shape{a.size(0) * a.size(1), a.size(2), element(type), element(a.scalar_type())};
  mean_cosine_similarity(element(a.scalar_type()), element(type), shape,
                         {left.rows, right.rows, heads, out.mutable_data_ptr()}, current_stream(a));
  return out;
}

at::Tensor least_similar(const at::Tensor& scores, const at::Tensor& raster_rows,
                         const RowSelection& selection) {
  const c10::ScalarType type = scores.scalar_type();
  if (!has_kernel(type, type) || scores.size(1) > SelectionArguments::kMostRows ||
      selection.count == 0) {
    return plain::least_similar_rows(scores, raster_rows, selection);
  }
  const RowsOf held(scores);
  const RowsOf list(raster_rows);
  at::Tensor out = at::empty({scores.size(0), selection.count}, raster_rows.options());
  SelectionArguments arguments;
  arguments.similarity = held.rows;
  arguments.raster_rows = list.rows;
  arguments.out = numbers<int64_t>(out);
  arguments.images = scores.size(0);
  arguments.length = scores.size(1);
  arguments.count = selection.count;
  arguments.first = selection.first;
  arguments.predicted_end = selection.predicted_end;
  arguments.protected_end = selection.protected_end;
  least_similar_rows(element(type), arguments, current_stream(scores));
  return out;
}

at::Tensor take(const at::Tensor& x, const at::Tensor& rows) {
  at::Tensor out = at::empty({x.size(0), rows.size(1), x.size(2)}, x.options());
  if (x.stride(2) != 1 || !has_element(x.scalar_type()) || out.numel() == 0) {
    return plain::take_rows(x, rows);
  }
  const RowsOf table(x);
  const RowsOf index(rows);
  const RowsOf list(out);
  take_rows({bytes_of(table), index.rows, bytes_of(list), x.size(0), rows.size(1),
             x.size(2) * x.element_size()},
            current_stream(x));
  return out;
}

void write(at::Tensor& target, const at::Tensor& rows, const at::Tensor& source) {
  if (target.stride(2) != 1 || source.scalar_type() != target.scalar_type() ||
      !has_element(target.scalar_type()) || source.numel() == 0) {
    plain::write_rows(target, rows, source);
    return;
  }
  const RowsOf table(target);
  const RowsOf index(rows);
  const RowsOf list(source);
  write_rows({bytes_of(table), index.rows, bytes_of(list), target.size(0), rows.size(1),
              target.size(2) * target.element_size()},
             current_stream(target));
}

at::Tensor bytes(const at::Tensor& images) {
  const c10::ScalarType type = images.scalar_type();
  if (!has_kernel(type, type) || images.numel() == 0) {
    return plain::to_bytes(images);
  }
  at::Tensor out = at::empty({images.size(0), images.size(2), images.size(3), images.size(1)},
                             images.options().dtype(c10::kByte));
  ByteArguments arguments{images.const_data_ptr(),
                          numbers<uint8_t>(out),
                          images.size(0),
                          images.size(1),
                          images.size(2),
                          images.size(3),
                          {}};
  std::copy_n(images.strides().begin(), 4, arguments.strides);
  to_bytes(element(type), arguments, current_stream(images));
  return out;
}

at::Tensor normals(const NormalDraw& draw) {
  const int64_t images = draw.positions.size(0);
  const int64_t rows = draw.positions.size(1);
  const int64_t steps = draw.keys.size(0);
  at::Tensor out = at::empty({steps + 1, images * rows, draw.channels},
                             draw.positions.options().dtype(c10::kFloat));
  if (out.numel() == 0) {
    return out;
  }
  const RowsOf positions(draw.positions);
  NormalArguments arguments;
  arguments.key0 = draw.key[0];
  arguments.key1 = draw.key[1];
  arguments.ids = numbers<const int64_t>(draw.ids);
  arguments.positions = positions.rows;
  arguments.decoding_step = draw.decoding_step;
  arguments.keys = numbers<const int64_t>(draw.keys);
  arguments.steps = steps;
  arguments.images = images;
  arguments.rows = rows;
  arguments.channels = draw.channels;
  arguments.out = numbers<float>(out);
  draw_normals(arguments, current_stream(draw.positions));
  return out;
}

}  // namespace

Kernels kernels_for(c10::DeviceType device) {
  Kernels ops;
  ops.device = device;
  ops.norm = norm;
  ops.add_norm = add_norm;
  ops.add = add;
  ops.silu_of_sums = silu_of_sums;
  ops.group_norm = group_norm;
  ops.mean_cosine_similarity = similarity;
  ops.least_similar_rows = least_similar;
  ops.take_rows = take;
  ops.write_rows = write;
  ops.to_bytes = bytes;
  ops.draw_normals = normals;
  ops.head_mlp = mlp_of_few_rows;
  ops.head_blocks = blocks_of_few_rows;
  ops.gated_sums = sums_of_gates;
  ops.has_head_window = fits_head_window;
  ops.head_window = window;
  ops.reverse_step = one_step;
  return ops;
}

const Kernels* register_kernels(const Kernels* kernels) {
  static const Kernels* registered = nullptr;
  const Kernels* const now = kernels != nullptr ? kernels : registered;
  if (now != nullptr) {
    register_device_ops<DeviceOps>(kernels, now->device);
    register_device_ops<HeadDeviceOps>(kernels, now->device);
    register_device_ops<RowDeviceOps>(kernels, now->device);
    register_device_ops<NoiseDeviceOps>(kernels, now->device);
    register_device_ops<PixelDeviceOps>(kernels, now->device);
  }
  return std::exchange(registered, kernels);
}

}  // namespace lazymar::cuda
