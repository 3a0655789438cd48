#include "nn/linear_formats.h"

#include <ATen/ATen.h>

#include <deque>
#include <iterator>

#include "core/error.h"
#include "nn/linear_int8.h"
#include "nn/linear_onednn.h"
#include "nn/linear_packed.h"

namespace lazymar {
namespace {

template <c10::ScalarType type>
DenseWeights rounded(const DenseWeights& weights) {
  return {weights.weight.to(type), weights.bias.to(type)};
}

template <c10::ScalarType type>
std::shared_ptr<const LinearKernel> make_dense(const DenseWeights& weights) {
  return dense_kernel(rounded<type>(weights));
}

template <c10::ScalarType type>
std::shared_ptr<const LinearKernel> make_onednn(const DenseWeights& weights) {
  return onednn_kernel(rounded<type>(weights));
}

std::shared_ptr<const LinearKernel> make_packed(const DenseWeights& weights) {
  return packed_kernel(rounded<c10::kBFloat16>(weights));
}

constexpr LinearFormat kLinearFormats[] = {
    {"fp32", has_onednn, make_onednn<c10::kFloat>},
    {"int8", computes_int8, int8_kernel},
    {"bf16", has_packed_products, make_packed},
    {"bf16", has_onednn, make_onednn<c10::kBFloat16>},
    {"fp64", nullptr, make_dense<c10::kDouble>},
    {"fp32", nullptr, make_dense<c10::kFloat>},
    {"bf16", nullptr, make_dense<c10::kBFloat16>},
    {"fp16", nullptr, make_dense<c10::kHalf>},
};

/// A deque: adding a row moves no other.
std::deque<LinearFormat>& table() {
  static std::deque<LinearFormat> rows(std::begin(kLinearFormats), std::end(kLinearFormats));
  return rows;
}

}  // namespace

const LinearFormat& linear_format(std::string_view name, c10::Device device) {
  for (const LinearFormat& format : table()) {
    if (format.name == name && (format.fits == nullptr || format.fits(device))) {
      return format;
    }
  }
  throw Error(ErrorKind::kInternal,
              concat("no linear layer has format \"", name, "\" on ", device.str()));
}

void add_linear_format(const LinearFormat& format) {
  table().push_back(format);
}

}  // namespace lazymar
