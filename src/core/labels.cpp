#include "core/labels.h"

#include <cstddef>

namespace lazymar {

int64_t label_of(int64_t id, const std::vector<int64_t>& classes, int64_t num_images) {
  return classes[static_cast<size_t>(id * static_cast<int64_t>(classes.size()) / num_images)];
}

}  // namespace lazymar
