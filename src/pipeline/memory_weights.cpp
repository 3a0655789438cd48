#include "pipeline/memory_weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/error.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

/// Why no weight can be made of it; empty if one can. Int8 is a matrix with scales.
std::string trouble_of(const at::Tensor& tensor) {
  if (!tensor.defined()) {
    return "an undefined tensor";
  }
  if (tensor.is_meta()) {
    return "a tensor on the device meta, without values; load its values first";
  }
  if (tensor.layout() != c10::kStrided) {
    return "a sparse tensor; pass .to_dense()";
  }
  if (tensor.key_set().has(c10::DispatchKey::Python)) {
    return "a tensor of a Python subclass; pass plain tensors, such as DTensor's .full_tensor()";
  }
  constexpr std::array kUsable{c10::kFloat, c10::kHalf, c10::kBFloat16, c10::kDouble, c10::kChar};
  if (std::find(kUsable.begin(), kUsable.end(), tensor.scalar_type()) == kUsable.end()) {
    return concat("a tensor of ", c10::toString(tensor.scalar_type()),
                  "; pass float, bfloat16, half or double");
  }
  return {};
}

}  // namespace

MemoryWeights weights_in_memory(const std::map<std::string, at::Tensor>& tensors,
                                const std::string& source) {
  const auto kept = std::make_shared<std::vector<at::Tensor>>();
  WeightContent content;
  for (const auto& [name, tensor] : tensors) {
    if (const std::string trouble = trouble_of(tensor); !trouble.empty()) {
      content.unreadable.emplace(name, concat(source, ": ", trouble));
      continue;
    }
    kept->push_back(tensor.detach().to(c10::kCPU).contiguous());
    content.tensors.emplace(name, view_of_tensor(kept->back()));
  }
  return {std::move(content), kept};
}

}  // namespace lazymar
