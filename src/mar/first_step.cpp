#include "mar/first_step.h"

#include <ATen/ATen.h>

namespace lazymar {

at::Tensor FirstStep::compute(const at::Tensor& class_row, const RowInputs& mask_rows) const {
  const int64_t length = mar_.config.sequence_length;
  const at::Tensor raster = at::arange(length, mask_rows.x.options().dtype(c10::kLong));
  FullRunner runner;
  MarBatch batch;
  mar_.begin(batch, raster.unsqueeze(0), class_row, mask_rows);
  runner.begin(batch);
  DecodeStep everything;
  everything.masked = everything.masked_before = length;
  mar_.encode(runner, batch, {}, everything);
  return mar_.decode(runner, batch, everything)[0];
}

at::Tensor FirstStep::z(const at::Tensor& labels, const at::Tensor& positions,
                        const RowInputs& mask_rows, bool guided) {
  std::map<int64_t, at::Tensor> of_batch;
  std::vector<at::Tensor> rows;
  for (int64_t image = 0; image < labels.size(0); ++image) {
    const int64_t label = labels.const_data_ptr<int64_t>()[image];
    at::Tensor& z = of_batch[label];
    if (const auto kept = by_class_.find(label); kept != by_class_.end()) {
      z = kept->second;
    } else if (!z.defined()) {
      z = compute(mar_.class_emb.narrow(0, label, 1), mask_rows);
      const auto bytes = static_cast<int64_t>(z.nbytes());
      if (bytes_ + bytes <= most_bytes_) {
        bytes_ += bytes;
        by_class_[label] = z;
      }
    }
    rows.push_back(z.index({positions[image]}));
  }
  if (guided) {
    if (!unconditional_.defined()) {
      unconditional_ = compute(mar_.fake_latent, mask_rows);
    }
    for (int64_t image = 0; image < labels.size(0); ++image) {
      rows.push_back(unconditional_.index({positions[image]}));
    }
  }
  return at::stack(rows);
}

}  // namespace lazymar
