#include "cuda/row_ops.h"

#include "cuda/tensors.h"
#include "nn/plain_ops.h"

namespace lazymar::cuda {
namespace {

RowShape shape_of(const at::Tensor& x, c10::ScalarType product) {
  return {x.numel() / std::max<int64_t>(1, x.size(-1)), x.size(-1), element(x.scalar_type()),
          element(product)};
}

}  // namespace

at::Tensor norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps,
                const at::Tensor& shift, const at::Tensor& scale, c10::ScalarType type) {
  if (!has_kernel(x.scalar_type(), type) || x.numel() == 0) {
    return shift.defined() ? plain::modulated_norm(x, weight, bias, eps, shift, scale)
                           : plain::layer_norm(x, weight, bias, eps, type);
  }
  const RowsOf rows(x);
  const RowsOf shifts(shift);
  const RowsOf scales(scale);
  at::Tensor out = at::empty(x.sizes(), x.options().dtype(type));
  NormArguments arguments;
  arguments.x = rows.rows;
  arguments.weight = pointer(weight);
  arguments.bias = pointer(bias);
  arguments.shift = shifts.rows;
  arguments.scale = scales.rows;
  arguments.out = out.mutable_data_ptr();
  arguments.eps = eps;
  norm_rows(shape_of(x, type), arguments, current_stream(x));
  return out;
}

SumAndNorm add_norm(const at::Tensor& x, const at::Tensor& y, const at::Tensor& weight,
                    const at::Tensor& bias, double eps, c10::ScalarType type) {
  at::Tensor sum = at::empty(x.sizes(), x.options());
  if (!has_kernel(x.scalar_type(), type) || y.scalar_type() != type || x.numel() == 0) {
    add(x, {}, y, sum);
    return {sum, norm(sum, weight, bias, eps, {}, {}, type)};
  }
  TORCH_CHECK(x.sizes() == y.sizes());
  const RowsOf rows(x);
  const RowsOf added(y);
  at::Tensor out = at::empty(x.sizes(), x.options().dtype(type));
  NormArguments arguments;
  arguments.x = rows.rows;
  arguments.added = added.rows;
  arguments.weight = pointer(weight);
  arguments.bias = pointer(bias);
  arguments.sum = sum.mutable_data_ptr();
  arguments.out = out.mutable_data_ptr();
  arguments.eps = eps;
  norm_rows(shape_of(x, type), arguments, current_stream(x));
  return {sum, out};
}

void add(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y, at::Tensor& out) {
  const RowsOf to(out);
  if (!has_kernel(x.scalar_type(), y.scalar_type()) || x.numel() == 0 || !to.tensor.is_same(out)) {
    out.copy_(gate.defined() ? plain::add_gated(x, gate, y) : plain::add(x, y));
    return;
  }
  TORCH_CHECK(x.sizes() == y.sizes() && x.sizes() == out.sizes());
  const RowsOf rows(x);
  const RowsOf gates(gate);
  const RowsOf added(y);
  add_rows(shape_of(x, y.scalar_type()), {rows.rows, gates.rows, added.rows, to.rows},
           current_stream(x));
}

at::Tensor silu_of_sums(const at::Tensor& a, const at::Tensor& b, c10::ScalarType type) {
  if (!has_kernel(a.scalar_type(), type) || a.numel() == 0 || b.numel() == 0) {
    return plain::silu_of_sums(a, b, type);
  }
  const RowsOf left(a);
  const RowsOf right(b);
  at::Tensor out = at::empty({a.size(0), b.size(0), a.size(1)}, a.options().dtype(type));
  RowShape shape = shape_of(a, type);
  shape.rows = a.size(0) * b.size(0);
  silu_of_sums(shape, {left.rows, right.rows, b.size(0), out.mutable_data_ptr()},
               current_stream(a));
  return out;
}

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      int64_t groups, double eps, c10::ScalarType type, bool silu) {
  const c10::ScalarType own = weight.scalar_type();
  if (!has_kernel(own, x.scalar_type()) || !has_kernel(own, type) || x.numel() == 0) {
    const at::Tensor normed = plain::group_norm(x, weight, bias, groups, eps, own);
    return (silu ? at::silu(normed) : normed).to(type);
  }
  const at::Tensor pictures = x.contiguous();
  at::Tensor out = at::empty(x.sizes(), x.options().dtype(type));
  GroupNormArguments arguments;
  arguments.images = x.size(0);
  arguments.channels = x.size(-1);
  arguments.pixels = x.numel() / x.size(0) / x.size(-1);
  arguments.groups = groups;
  const auto room = [&](at::IntArrayRef sizes) {
    return at::empty(sizes, x.options().dtype(c10::kDouble));
  };
  at::Tensor partials = room({x.size(0), group_norm_chunks(arguments.pixels), groups, 2});
  at::Tensor scales = room({x.size(0), x.size(-1), 2});
  arguments.x = pictures.const_data_ptr();
  arguments.weight = pointer(weight);
  arguments.bias = pointer(bias);
  arguments.out = out.mutable_data_ptr();
  arguments.partials = numbers<double>(partials);
  arguments.scales = numbers<double>(scales);
  arguments.eps = eps;
  arguments.silu = silu;
  group_norm(element(x.scalar_type()), element(own), element(type), arguments, current_stream(x));
  return out;
}

}  // namespace lazymar::cuda
