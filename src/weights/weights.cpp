#include "weights/weights.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "weights/bad_values.h"
#include "weights/int8_weight.h"

namespace lazymar {
namespace {

constexpr std::array<std::pair<ElementType, c10::ScalarType>, 6> kUsedTypes{{
    {ElementType::kF16, c10::kHalf},
    {ElementType::kBF16, c10::kBFloat16},
    {ElementType::kF32, c10::kFloat},
    {ElementType::kF64, c10::kDouble},
    {ElementType::kI64, c10::kLong},
    {ElementType::kI8, c10::kChar},
}};

void append_list(std::string& message, std::string_view title,
                 const std::vector<std::string>& names) {
  if (names.empty()) {
    return;
  }
  constexpr size_t kLongest = 200;  // the names come from the file and may be anything
  message += concat(message.empty() ? "" : "; ", names.size(), " ", title, ": ");
  for (size_t i = 0; i < names.size(); ++i) {
    message += (i > 0 ? ", " : "") + one_line(names[i], kLongest);
  }
}

/// "blocks" of "blocks.12.norm1.weight": what stands before the first number; empty without one.
std::string layers_of(const std::string& name) {
  std::string before;
  for (const std::string& part : split(name, '.')) {
    if (parse_index(part) >= 0) {
      return before;
    }
    before += (before.empty() ? "" : ".") + part;
  }
  return {};
}

/// The name of a file's type.
ElementType element_type(c10::ScalarType type) {
  for (const auto& [element, scalar] : kUsedTypes) {
    if (scalar == type) {
      return element;
    }
  }
  throw Error(ErrorKind::kInternal, concat("no file holds ", type));
}

/// count_bad_values(), shared out among threads.
int64_t bad_values(const TensorView& view, ElementType as) {
  constexpr int64_t kGrain = int64_t{1} << 20;  // elements
  if (!view.strides.empty()) {
    return count_bad_values(view, as);
  }
  const int64_t size = element_size(view.type);
  const auto count = [&view, size, as](int64_t begin, int64_t end, int64_t before) {
    const auto part = view.bytes.subspan(static_cast<size_t>(begin * size),
                                         static_cast<size_t>((end - begin) * size));
    return before + count_bad_values(view.type, part, as);
  };
  return at::parallel_reduce(0, static_cast<int64_t>(view.bytes.size()) / size, kGrain, int64_t{0},
                             count, std::plus<>());
}

}  // namespace

at::Tensor tensor_from_view(const TensorView& view, const WeightFile& file, std::string_view name) {
  std::optional<c10::ScalarType> dtype;
  for (const auto& [type, scalar] : kUsedTypes) {
    if (type == view.type) {
      dtype = scalar;
    }
  }
  if (!dtype) {
    refuse_at(file.path().string(),
              file.bytes().empty() ? 0 : view.bytes.data() - file.bytes().data(), "tensor \"", name,
              "\" is ", to_string(view.type), "; weights must be F16, BF16, F32 or F64");
  }
  const auto options = at::TensorOptions().dtype(*dtype);
  if (view.bytes.empty()) {
    return at::empty(view.shape, options);
  }
  // from_blob takes a mutable pointer; a file's mapping is read-only, and so is every use of
  // weights.
  auto* data = const_cast<std::byte*>(view.bytes.data());
  std::vector<std::byte> aligned;
  const bool misaligned = reinterpret_cast<uintptr_t>(data) % element_size(view.type) != 0;
  if (misaligned && view.strides.empty()) {
    at::Tensor copy = at::empty(view.shape, options);
    std::memcpy(copy.mutable_data_ptr(), data, view.bytes.size());
    return copy;
  }
  if (view.strides.empty()) {
    return at::from_blob(
        data, view.shape, [owner = file.owner()](void*) {}, options);
  }
  if (misaligned) {
    aligned.assign(view.bytes.begin(), view.bytes.end());
    data = aligned.data();
  }
  return at::from_blob(data, view.shape, view.strides, options).clone(at::MemoryFormat::Contiguous);
}

c10::ScalarType scalar_type(NumberType type) {
  switch (type) {
    case NumberType::kFp64:
      return c10::kDouble;
    case NumberType::kBf16:
      return c10::kBFloat16;
    case NumberType::kFp16:
      return c10::kHalf;
    case NumberType::kFp32:
      break;
  }
  return c10::kFloat;
}

c10::ScalarType scalar_type(ElementType type) {
  for (const auto& [element, scalar] : kUsedTypes) {
    if (element == type) {
      return scalar;
    }
  }
  throw Error(ErrorKind::kInternal, concat("no network uses ", to_string(type)));
}

TensorView view_of_tensor(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.is_contiguous() && tensor.device().is_cpu());
  const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
  return {element_type(tensor.scalar_type()), tensor.sizes().vec(), {data, tensor.nbytes()}};
}

FileWeights::FileWeights(std::shared_ptr<const WeightFile> file, Placement placement)
    : WeightSource(placement), file_(std::move(file)) {
  for (const auto& [name, view] : file_->tensors()) {
    used_[name] = false;
  }
  for (const auto& [name, reason] : file_->unreadable()) {
    used_[name] = false;
  }
}

at::Tensor FileWeights::get(const std::string& name, const std::vector<int64_t>& shape) {
  const TensorView* view = file_->find(name);
  if (view == nullptr) {
    missing_.push_back(name);
    return {};
  }
  used_[name] = true;
  if (view->shape != shape) {
    misshaped_.push_back(
        concat(name, " ", shape_string(view->shape), " instead of ", shape_string(shape)));
    return {};
  }
  if (const int64_t bad = bad_values(*view, element_type(placement().dtype())); bad > 0) {
    const int64_t count = byte_count(view->type, view->shape) / element_size(view->type);
    const int64_t own = bad_values(*view, view->type);
    (own > 0 ? bad_values_ : too_large_)
        .push_back(concat(name, " (", own > 0 ? own : bad, " of ", count, ")"));
  }
  const at::Tensor value = view->type == ElementType::kI8 ? from_8_bits(*view, name)
                                                          : tensor_from_view(*view, *file_, name);
  return value.defined() ? value.to(placement().device, placement().dtype()) : value;
}

at::Tensor FileWeights::from_8_bits(const TensorView& view, const std::string& name) {
  if (view.shape.size() != 2) {
    misshaped_.push_back(concat(name, " I8 instead of F32: only matrices can be in 8 bits"));
    return {};
  }
  const std::string scale_name = concat(name, kScaleSuffix);
  const TensorView* scales = file_->find(scale_name);
  if (scales == nullptr) {
    missing_.push_back(scale_name);
    return {};
  }
  used_[scale_name] = true;
  const std::vector<int64_t> shape{view.shape.front()};
  if (scales->shape != shape || scales->type != ElementType::kF32) {
    misshaped_.push_back(concat(scale_name, " ", to_string(scales->type), " ",
                                shape_string(scales->shape), " instead of F32 ",
                                shape_string(shape)));
    return {};
  }
  if (const int64_t bad = bad_values(*scales, ElementType::kF32); bad > 0) {
    bad_values_.push_back(concat(scale_name, " (", bad, " of ", shape.front(), ")"));
  }
  return dequantized(
      {tensor_from_view(view, *file_, name), tensor_from_view(*scales, *file_, scale_name)});
}

void FileWeights::finish(const std::vector<std::string>& skipped) {
  std::set<std::string> layers;
  for (const auto& [name, used] : used_) {
    if (used) {
      layers.insert(layers_of(name));
    }
  }
  std::vector<std::string> unexpected;
  std::vector<std::string> unknown;
  for (const auto& [name, used] : used_) {
    bool known = used;
    for (const std::string& prefix : skipped) {
      known = known || name.starts_with(prefix);
    }
    if (!known) {
      // In layers that are used, it is one behind a gap, or a part that another network computes.
      const std::string own = layers_of(name);
      (!own.empty() && layers.contains(own) ? unexpected : unknown).push_back(name);
    }
  }
  std::string message;
  if (!missing_.empty() || !misshaped_.empty() || !unexpected.empty()) {
    unexpected.insert(unexpected.end(), unknown.begin(), unknown.end());
    append_list(message, "missing", missing_);
    append_list(message, "unexpected", unexpected);
    append_list(message, "wrong shape", misshaped_);
    throw usage_error(file_->path().string(), ": tensors do not fit the network: ", message);
  }
  append_list(message, "with NaN or infinite values", bad_values_);
  append_list(message,
              concat("with values too large for ", to_string(element_type(placement().dtype()))),
              too_large_);
  if (!message.empty()) {
    throw usage_error(file_->path().string(), ": tensors cannot be used: ", message,
                      "; the training diverged, or the ",
                      file_->bytes().empty() ? "tensors are" : "file is",
                      " damaged: take another checkpoint");
  }
  append_list(message, "not used, because the network has no such tensor", unknown);
  if (!message.empty()) {
    log_warning_once(concat(file_->path().string(), ": ", message));
  }
}

WeightsInUse FileWeights::in_use() const {
  WeightsInUse weights;
  weights.owner = file_->owner();
  for (const auto& [name, used] : used_) {
    if (used) {
      weights.tensors.emplace(name, file_->tensors().at(name));
    }
  }
  return weights;
}

at::Tensor RandomWeights::get(const std::string& name, const std::vector<int64_t>& shape) {
  // Each tensor has its own stream, so that the draw does not depend on the order of requests.
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed_ ^ fnv1a(name));
  at::Tensor value = at::empty(shape, c10::kFloat);
  if (shape.size() == 1 && name.ends_with(".weight")) {
    value.fill_(1.0);  // a norm's scale
  } else if (shape.size() == 1) {
    value.zero_();
  } else {
    const double fan_in = static_cast<double>(value[0].numel());
    const bool embedding = name.ends_with("embed_learned") || shape.front() == 1;
    value.normal_(0.0, embedding ? 0.02 : 1.0 / std::sqrt(fan_in), generator);
  }
  return value.to(placement().device, placement().dtype());
}

void RandomWeights::finish(const std::vector<std::string>&) {}

}  // namespace lazymar
