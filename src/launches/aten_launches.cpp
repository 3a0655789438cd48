#include "launches/aten_launches.h"

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "launches/launch_log.h"
#include "launches/tensor_bytes.h"

namespace lazymar {
namespace {

using Values = c10::ArrayRef<const c10::IValue>;

int64_t size_of(const c10::IValue& value, int64_t dimension) {
  return value.toTensor().size(dimension);
}

/// a [..., m, k] times b [..., k, n]; the first matrix stands at `first`.
template <size_t first>
int64_t product_flops(Values inputs) {
  return 2 * inputs[first].toTensor().numel() * size_of(inputs[first + 1], -1);
}

/// q and k [B, heads, rows, D].
int64_t attention_flops(Values inputs) {
  constexpr int64_t kProducts = 2;  // q k^T, and its softmax times v
  return kProducts * 2 * inputs[0].toTensor().numel() * size_of(inputs[1], 2);
}

at::Tensor convolved_shape(const at::Tensor& x, const at::Tensor& weight,
                           const std::optional<at::Tensor>& /*bias*/, at::IntArrayRef stride,
                           at::IntArrayRef padding, at::IntArrayRef dilation, bool /*transposed*/,
                           at::IntArrayRef /*output_padding*/, int64_t /*groups*/) {
  // One number may stand for all dimensions.
  const auto of = [](at::IntArrayRef numbers, size_t i) {
    return numbers[std::min(i, numbers.size() - 1)];
  };
  std::vector<int64_t> sizes{x.size(0), weight.size(0)};
  for (size_t i = 0; i + 2 < static_cast<size_t>(x.dim()); ++i) {
    const auto dimension = static_cast<int64_t>(i + 2);
    const int64_t covered = of(dilation, i) * (weight.size(dimension) - 1) + 1;
    sizes.push_back((x.size(dimension) + 2 * of(padding, i) - covered) / of(stride, i) + 1);
  }
  return at::empty(sizes, x.options(), x.suggest_memory_format());
}

at::Tensor attended_shape(const at::Tensor& q, const at::Tensor& /*k*/, const at::Tensor& v,
                          const std::optional<at::Tensor>& /*mask*/, double /*dropout*/,
                          bool /*causal*/, std::optional<double> /*scale*/, bool /*grouped*/) {
  // Flash attention writes rows of all heads, as attention's callers expect.
  return at::empty({q.size(0), q.size(2), q.size(1), v.size(3)}, q.options()).transpose(1, 2);
}

at::Tensor selected_shape(const at::Tensor& x, int64_t dimension, const at::Tensor& index) {
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes[static_cast<size_t>(at::maybe_wrap_dim(dimension, x.dim()))] = index.numel();
  return at::empty(sizes, x.options());
}

at::Tensor compared_shape(const at::Tensor& a, const at::Tensor& b) {
  return at::empty(at::infer_size(a.sizes(), b.sizes()), a.options().dtype(c10::kBool));
}

at::Tensor transformed_shape(const at::Tensor& x, at::IntArrayRef dimensions,
                             int64_t /*normalization*/, bool onesided) {
  std::vector<int64_t> sizes = x.sizes().vec();
  int64_t& last = sizes[static_cast<size_t>(at::maybe_wrap_dim(dimensions.back(), x.dim()))];
  last = onesided ? last / 2 + 1 : last;
  return at::empty(sizes, x.options().dtype(c10::toComplexType(x.scalar_type())));
}

at::Tensor magnitude_shape(const at::Tensor& x) {
  return at::empty(x.sizes(), x.options().dtype(c10::toRealValueType(x.scalar_type())));
}

/// Of each number of the output [B, out, ...]: the taps of weight [out, in, ...].
int64_t convolution_flops(Values inputs) {
  const at::Tensor& weight = inputs[1].toTensor();
  const at::Tensor out =
      convolved_shape(inputs[0].toTensor(), weight, {}, inputs[3].toIntVector(),
                      inputs[4].toIntVector(), inputs[5].toIntVector(), false, {}, 1);
  return 2 * out.numel() * weight.numel() / weight.size(0);
}

/// What an operation is on a GPU.
struct AtenKernel {
  /// Kernels that it launches by itself. Those of operations that it calls are their own, if it
  /// launches none.
  int64_t launches = 0;
  int64_t (*flops)(Values inputs) = nullptr;
  bool overwrites = false;  ///< its first input is only written
};

constexpr AtenKernel kOne{.launches = 1};
constexpr AtenKernel kWrite{.launches = 1, .overwrites = true};

/// By name, without "aten::". Launches are those of LibTorch 2.11's sources for CUDA. Products with
/// a bias are one kernel of cuBLASLt; a convolution adds its bias in a second one.
const std::map<std::string_view, AtenKernel>& aten_kernels() {
  static const std::map<std::string_view, AtenKernel> kernels{
      {"mm", {1, product_flops<0>}},
      {"bmm", {1, product_flops<0>}},
      {"addmm", {1, product_flops<1>}},
      {"convolution", {2, convolution_flops}},
      {"scaled_dot_product_attention", {1, attention_flops}},
      {"copy_", kWrite},
      {"fill_", kWrite},
      {"zero_", kWrite},
      {"arange", kOne},
      {"ge", kOne},
      {"lt", kOne},
      {"logical_and", kOne},
      {"masked_fill_", kOne},
      {"bitwise_not", kOne},
      {"sort", {.launches = 3}},  // copies of keys and positions, and up to 4096 of them sorted
      {"_fft_r2c", kOne},
      {"abs", kOne},
      {"sum", kOne},
      {"add", kOne},
      {"add_", kOne},
      {"sub", kOne},
      {"mul", kOne},
      {"div", kOne},
      {"silu", kOne},
      {"gelu", kOne},
      {"cat", kOne},
      {"index", kOne},
      {"gather", kOne},
      {"scatter_", kOne},
      {"index_select", kOne},
      {"index_copy_", kOne},
  };
  return kernels;
}

/// Views, memory, and operations made of others.
const std::vector<std::string_view>& free_operations() {
  static const std::vector<std::string_view> names{"view",
                                                   "reshape",
                                                   "_reshape_alias",
                                                   "_unsafe_view",
                                                   "narrow",
                                                   "slice",
                                                   "select",
                                                   "expand",
                                                   "expand_as",
                                                   "permute",
                                                   "transpose",
                                                   "t",
                                                   "unsqueeze",
                                                   "squeeze",
                                                   "chunk",
                                                   "split",
                                                   "split_with_sizes",
                                                   "unbind",
                                                   "as_strided",
                                                   "alias",
                                                   "detach",
                                                   "flatten",
                                                   "unflatten",
                                                   "view_as",
                                                   "empty",
                                                   "empty_like",
                                                   "empty_strided",
                                                   "new_empty",
                                                   "resize_",
                                                   "contiguous",
                                                   "to",
                                                   "_to_copy",
                                                   "clone",
                                                   "linear",
                                                   "matmul",
                                                   "repeat",
                                                   "stack",
                                                   "full",
                                                   "zeros",
                                                   "zeros_like",
                                                   "conv2d",
                                                   "argsort",
                                                   "masked_fill",
                                                   "fft_rfft",
                                                   "item",
                                                   "is_pinned",
                                                   "lift_fresh",
                                                   "unfold"};
  return names;
}

std::string_view base_name(std::string_view name) {
  constexpr std::string_view kNamespace = "aten::";
  return name.starts_with(kNamespace) ? name.substr(kNamespace.size()) : name;
}

/// One operation from its start to its end.
struct Noted final : at::ObserverContext {
  AtenKernel kernel;
  std::string name;
  int64_t bytes = 0;
  int64_t flops = 0;
};

/// Within an operation that is one kernel, others are its parts.
int& depth_in_kernel() {
  thread_local int depth = 0;
  return depth;
}

template <typename List>
bool holds_shapes(const List& values) {
  bool meta = false;
  for (const c10::IValue& value : values) {
    each_tensor(value, [&](const at::Tensor& t) { meta = meta || t.is_meta(); });
  }
  return meta;
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& call) {
  if (current_log() == nullptr) {
    return nullptr;
  }
  auto noted = std::make_unique<Noted>();
  noted->name = call.name();
  const std::string_view name = base_name(noted->name);
  const auto known = aten_kernels().find(name);
  if (known != aten_kernels().end()) {
    noted->kernel = known->second;
  } else if (std::find(free_operations().begin(), free_operations().end(), name) ==
             free_operations().end()) {
    noted->kernel = kOne;
    unknown_operations().insert(noted->name);
  }
  if (noted->kernel.launches == 0) {
    return noted;
  }
  const Values inputs = call.inputs();
  if (depth_in_kernel()++ == 0 && holds_shapes(inputs)) {
    for (size_t i = noted->kernel.overwrites ? 1 : 0; i < inputs.size(); ++i) {
      each_tensor(inputs[i], [&](const at::Tensor& t) { noted->bytes += bytes_of(t); });
    }
    noted->flops = noted->kernel.flops != nullptr ? noted->kernel.flops(inputs) : 0;
  }
  return noted;
}

void end(const at::RecordFunction& call, at::ObserverContext* context) {
  auto* noted = static_cast<Noted*>(context);
  if (noted == nullptr || noted->kernel.launches == 0) {
    return;
  }
  if (--depth_in_kernel() > 0 || !holds_shapes(call.outputs())) {
    return;
  }
  for (const c10::IValue& output : call.outputs()) {
    each_tensor(output, [&](const at::Tensor& t) { noted->bytes += bytes_of(t); });
  }
  current_log()->add(noted->name, kernel_work(noted->kernel.launches, noted->bytes, noted->flops));
}

}  // namespace

std::set<std::string>& unknown_operations() {
  thread_local std::set<std::string> names;
  return names;
}

AtenLaunches::AtenLaunches()
    : shapes_(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__),
      callback_(at::addThreadLocalCallback(
          at::RecordFunctionCallback(begin, end).needsInputs(true).needsOutputs(true))) {
  shapes_.impl("convolution", convolved_shape);
  shapes_.impl("index_select", selected_shape);
  shapes_.impl("logical_and", compared_shape);
  shapes_.impl("_fft_r2c", transformed_shape);
  shapes_.impl("abs", magnitude_shape);
  shapes_.impl("scaled_dot_product_attention", attended_shape);
}

AtenLaunches::~AtenLaunches() {
  at::removeCallback(callback_);
}

}  // namespace lazymar
