#include "mar/row_inputs.h"

#include <ATen/ATen.h>

#include "nn/capture.h"

namespace lazymar {

RowInputs RowInputs::of(const Block& first, const at::Tensor& x) {
  const auto [q, kv] = first.queries_keys_values(first.normed(x));
  return {x, q, kv};
}

BlockRows::BlockRows(std::span<const Block> blocks, size_t i, const at::Tensor& h,
                     const RowInputs& inputs, bool all_ask)
    : block_(blocks[i]) {
  if (i == 0) {
    q_ = inputs.q;
    kv_ = inputs.kv;
    return;
  }
  normed_ = block_.normed(h);
  if (all_ask) {
    const auto [q, kv] = block_.queries_keys_values(normed_);
    q_ = q;
    kv_ = kv;
  } else {
    kv_ = block_.keys_values(normed_);
  }
}

void RowInputs::make_room(const RowInputs& example, int64_t batch_rows, int64_t rows) {
  const auto like = [&](at::Tensor& mine, const at::Tensor& t) {
    lazymar::make_room(mine, {batch_rows, rows, t.size(2)}, t.options());
  };
  like(x, example.x);
  like(q, example.q);
  like(kv, example.kv);
}

void RowInputs::write(const RowInputs& rows, int64_t first, int64_t copies) {
  const int64_t images = rows.x.size(0);
  const int64_t count = rows.x.size(1);
  for (int64_t copy = 0; copy < copies; ++copy) {
    const auto place = [&](const at::Tensor& t) {
      return t.narrow(0, copy * images, images).narrow(1, first, count);
    };
    place(x).copy_(rows.x);
    place(q).copy_(rows.q);
    place(kv).copy_(rows.kv);
  }
}

RowInputs RowInputs::gathered(const at::Tensor& rows) const {
  return {x[0].index({rows}), q[0].index({rows}), kv[0].index({rows})};
}

RowInputs RowInputs::leading(int64_t batch_rows) const {
  return {x.narrow(0, 0, batch_rows), q.narrow(0, 0, batch_rows), kv.narrow(0, 0, batch_rows)};
}

RowInputs RowInputs::from(int64_t first) const {
  const auto rest = [&](const at::Tensor& t) { return t.narrow(1, first, t.size(1) - first); };
  return {rest(x), rest(q), rest(kv)};
}

}  // namespace lazymar
