#pragma once
/// Tensors in memory as if they were a file's.

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>

#include "formats/weight_content.h"

namespace lazymar {

struct MemoryWeights {
  WeightContent content;
  std::shared_ptr<const void> owner;  ///< keeps the views of `content` valid
};

/// Contiguous CPU tensors are shared, others copied. Tensors that nothing can be computed with
/// (integers, sparse, without values) are unreadable, so that they only matter if a network needs
/// them. `source` stands for the path in messages.
MemoryWeights weights_in_memory(const std::map<std::string, at::Tensor>& tensors,
                                const std::string& source);

}  // namespace lazymar
