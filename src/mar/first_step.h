#pragma once
/// z of decoding step 0, which sees no token of the image: a function of the class (S0).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <vector>

#include "mar/mar.h"

namespace lazymar {

/// z of all positions by class. Each is computed once and separately, so that its bits depend only
/// on the class.
class FirstStep {
 public:
  /// Once the table exceeds `most_bytes`, further classes are computed in every batch that has
  /// them. (Kept entries are not replaced: a run returns to a class only after most of the others.)
  explicit FirstStep(const Mar& mar, int64_t most_bytes = kMostBytes)
      : mar_(mar), most_bytes_(most_bytes) {}

  static constexpr int64_t kMostBytes = int64_t{1} << 29;

  /// labels [B] int64 on the CPU; positions [B, n] int64, the raster positions to be predicted;
  /// mask_rows as Mar::mask_rows() -> [halves * B, n, D].
  at::Tensor z(const at::Tensor& labels, const at::Tensor& positions, const RowInputs& mask_rows,
               bool guided);

 private:
  at::Tensor compute(const at::Tensor& class_row, const RowInputs& mask_rows) const;

  const Mar& mar_;
  int64_t most_bytes_;
  int64_t bytes_ = 0;
  std::map<int64_t, at::Tensor> by_class_;  ///< [L, D] in raster order
  at::Tensor unconditional_;                ///< [L, D]
};

}  // namespace lazymar
