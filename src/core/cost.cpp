#include "core/cost.h"

#include <algorithm>

namespace lazymar {

StageSeconds& StageSeconds::operator+=(const StageSeconds& other) {
  encoder += other.encoder;
  decoder += other.decoder;
  head += other.head;
  vae += other.vae;
  total += other.total;
  return *this;
}

void add_steps(std::vector<StepCost>& sum, const std::vector<StepCost>& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i) {
    sum[i].seconds += more[i].seconds;
    sum[i].flops += more[i].flops;
  }
}

}  // namespace lazymar
