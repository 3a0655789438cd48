#include "nn/ops.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "nn/cpu/bf16_attention.h"
#include "nn/cpu/loops.h"
#include "nn/cpu/tensors.h"
#include "nn/device_ops.h"
#include "nn/flops.h"
#include "nn/plain_ops.h"

namespace lazymar {
namespace {

using cpu::data;
using cpu::for_each_row;
using cpu::kGrain;
using cpu::mutable_data;
using cpu::Rows;
using cpu::with_types;

at::Tensor norm_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     double eps, const at::Tensor& shift, const at::Tensor& scale,
                     c10::ScalarType type) {
  const Rows in(x);
  at::Tensor out = at::empty(x.sizes(), x.options().dtype(type));
  with_types(x.scalar_type(), type, [&]<typename X, typename Y>(X, Y) {
    const int64_t stride = shift.defined() ? shift.stride(0) : 0;
    TORCH_CHECK(!shift.defined() || (shift.stride(1) == 1 && scale.strides() == shift.strides() &&
                                     scale.scalar_type() == type));
    for_each_row(x.numel() / in.width, in.width, [&](int64_t row) {
      cpu::norm_row(
          cpu::NormRow<X, Y>{data<X>(in.tensor) + in.offset(row), data<X>(weight), data<X>(bias),
                             shift.defined() ? data<Y>(shift) + row * stride : nullptr,
                             shift.defined() ? data<Y>(scale) + row * stride : nullptr,
                             mutable_data<Y>(out) + row * in.width, in.width, static_cast<X>(eps)});
    });
  });
  return out;
}

/// out = x + y, or x + gate * y; out is contiguous or x itself.
void add_rows(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y,
              const at::Tensor& out) {
  const Rows a(x);
  const Rows b(y);
  const Rows c(out);
  TORCH_CHECK(x.sizes() == y.sizes() && c.tensor.is_same(out));
  with_types(x.scalar_type(), y.scalar_type(), [&]<typename X, typename Y>(X, Y) {
    for_each_row(x.numel() / a.width, a.width, [&](int64_t row) {
      cpu::add_row(data<X>(a.tensor) + a.offset(row),
                   gate.defined() ? data<Y>(gate) + row * gate.stride(0) : nullptr,
                   data<Y>(b.tensor) + b.offset(row), mutable_data<X>(out) + c.offset(row),
                   a.width);
    });
  });
}

at::Tensor bf16_attention(const at::Tensor& q, const at::Tensor& kv, int64_t heads) {
  const int64_t width = q.size(2);
  const int64_t dim = width / heads;
  at::Tensor out = at::empty(q.sizes(), q.options());
  at::parallel_for(0, q.size(0) * heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image = task / heads;
      const int64_t first = task % heads * dim;
      const auto* keys = data<cpu::Bf16>(kv) + image * kv.stride(0) + first;
      cpu::attend({.q = data<cpu::Bf16>(q) + image * q.stride(0) + first,
                   .k = keys,
                   .v = keys + width,
                   .out = mutable_data<cpu::Bf16>(out) + image * out.stride(0) + first,
                   .q_stride = q.stride(1),
                   .kv_stride = kv.stride(1),
                   .out_stride = width,
                   .queries = q.size(1),
                   .keys = kv.size(1),
                   .head_dim = dim});
    }
  });
  return out;
}

at::Tensor sum_on_device(const DeviceOps& device, const at::Tensor& x, const at::Tensor& gate,
                         const at::Tensor& y) {
  at::Tensor out = at::empty(x.sizes(), x.options());
  device.add(x, gate, y, out);
  return out;
}

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double eps, c10::ScalarType type) {
  if (const DeviceOps* device = device_ops(x)) {
    return device->norm(x, weight, bias, eps, {}, {}, type);
  }
  return x.is_cpu() && x.numel() > 0 ? norm_rows(x, weight, bias, eps, {}, {}, type)
                                     : plain::layer_norm(x, weight, bias, eps, type);
}

at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          double eps, const at::Tensor& shift, const at::Tensor& scale) {
  if (const DeviceOps* device = device_ops(x)) {
    return device->norm(x, weight, bias, eps, shift, scale, shift.scalar_type());
  }
  return x.is_cpu() ? norm_rows(x, weight, bias, eps, shift, scale, shift.scalar_type())
                    : plain::modulated_norm(x, weight, bias, eps, shift, scale);
}

at::Tensor add(const at::Tensor& x, const at::Tensor& y) {
  if (const DeviceOps* device = device_ops(x)) {
    return sum_on_device(*device, x, {}, y);
  }
  if (!x.is_cpu() || x.numel() == 0) {
    return plain::add(x, y);
  }
  at::Tensor out = at::empty(x.sizes(), x.options());
  add_rows(x, {}, y, out);
  return out;
}

SumAndNorm add_norm(const at::Tensor& x, const at::Tensor& y, const at::Tensor& weight,
                    const at::Tensor& bias, double eps, c10::ScalarType type) {
  if (const DeviceOps* device = device_ops(x)) {
    return device->add_norm(x, y, weight, bias, eps, type);
  }
  const at::Tensor sum = lazymar::add(x, y);
  return {sum, layer_norm(sum, weight, bias, eps, type)};
}

void add_in_place(at::Tensor& x, const at::Tensor& y) {
  if (const DeviceOps* device = device_ops(x)) {
    device->add(x, {}, y, x);
  } else if (x.is_cpu() && x.numel() > 0) {
    add_rows(x, {}, y, x);
  } else {
    x.add_(y.to(x));
  }
}

at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y) {
  if (gate.scalar_type() != y.scalar_type()) {  // the loops and kernels need one type
    return add_gated(x, gate.to(x), y.to(x));
  }
  if (const DeviceOps* device = device_ops(x)) {
    return sum_on_device(*device, x, gate, y);
  }
  if (!x.is_cpu()) {
    return plain::add_gated(x, gate, y);
  }
  at::Tensor out = at::empty(x.sizes(), x.options());
  add_rows(x, gate, y, out);
  return out;
}

at::Tensor silu(const at::Tensor& x) {
  if (!x.is_cpu()) {
    return at::silu(x);
  }
  // Elements in memory order.
  const at::Tensor in = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  at::Tensor out = at::empty_like(in);
  with_types(x.scalar_type(), x.scalar_type(), [&]<typename X, typename Y>(X, Y) {
    if constexpr (std::is_same_v<X, Y>) {
      at::parallel_for(0, in.numel(), kGrain, [&](int64_t begin, int64_t end) {
        cpu::silu_row(data<X>(in) + begin, nullptr, mutable_data<X>(out) + begin, end - begin);
      });
    }
  });
  return out;
}

at::Tensor silu_of_sums(const at::Tensor& a, const at::Tensor& b, c10::ScalarType type) {
  if (const DeviceOps* device = device_ops(a)) {
    return device->silu_of_sums(a, b, type);
  }
  if (!a.is_cpu()) {
    return plain::silu_of_sums(a, b, type);
  }
  const int64_t width = a.size(1);
  at::Tensor out = at::empty({a.size(0), b.size(0), width}, a.options().dtype(type));
  with_types(a.scalar_type(), type, [&]<typename X, typename Y>(X, Y) {
    for_each_row(a.size(0) * b.size(0), width, [&](int64_t row) {
      cpu::silu_row(data<X>(a) + row / b.size(0) * a.stride(0),
                    data<X>(b) + row % b.size(0) * b.stride(0), mutable_data<Y>(out) + row * width,
                    width);
    });
  });
  return out;
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& kv, int64_t heads) {
  count_matmul(q.size(0) * q.size(1), 2 * q.size(2), kv.size(1));
  const bool own = q.is_cpu() && q.scalar_type() == c10::kBFloat16 && q.stride(2) == 1 &&
                   kv.stride(2) == 1 && q.size(2) / heads % 16 == 0 && cpu::has_bf16_attention();
  return own ? bf16_attention(q, kv, heads) : plain::attention(q, kv, heads);
}

at::Tensor take_rows(const at::Tensor& x, const at::Tensor& rows) {
  if (const DeviceOps* device = device_ops(x)) {
    return device->take_rows(x, rows);
  }
  if (!x.is_cpu() || x.stride(2) != 1) {
    return plain::take_rows(x, rows);
  }
  const int64_t count = rows.size(1);
  at::Tensor out = at::empty({x.size(0), count, x.size(2)}, x.options());
  const int64_t bytes = x.size(2) * x.element_size();
  const auto* from = data<char>(x);
  auto* to = mutable_data<char>(out);
  const at::Tensor index = rows.contiguous();
  for (int64_t i = 0; i < index.numel(); ++i) {
    const int64_t offset = i / count * x.stride(0) + data<int64_t>(index)[i] * x.stride(1);
    std::memcpy(to + i * bytes, from + offset * x.element_size(), static_cast<size_t>(bytes));
  }
  return out;
}

void write_rows(at::Tensor& target, const at::Tensor& rows, const at::Tensor& source) {
  if (const DeviceOps* device = device_ops(target)) {
    device->write_rows(target, rows, source);
    return;
  }
  if (!target.is_cpu() || target.stride(2) != 1 || source.scalar_type() != target.scalar_type()) {
    plain::write_rows(target, rows, source);
    return;
  }
  const int64_t count = rows.size(1);
  const at::Tensor index = rows.contiguous();
  const at::Tensor values = source.contiguous();
  const int64_t bytes = values.size(2) * values.element_size();
  const auto* from = data<char>(values);
  auto* to = mutable_data<char>(target);
  for (int64_t i = 0; i < index.numel(); ++i) {
    const int64_t offset =
        i / count * target.stride(0) + data<int64_t>(index)[i] * target.stride(1);
    std::memcpy(to + offset * target.element_size(), from + i * bytes, static_cast<size_t>(bytes));
  }
}

}  // namespace lazymar
