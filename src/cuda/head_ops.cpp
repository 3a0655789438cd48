#include "cuda/head_ops.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "cuda/tensors.h"

namespace lazymar::cuda {

at::Tensor sums_of_gates(const GatedSums& sums) {
  const at::Tensor& gate = sums.gates.front();
  constexpr size_t kMost = GatedSumArguments::kMost;
  const auto has_other_type = [&](const at::Tensor& t) {
    return t.scalar_type() != gate.scalar_type();
  };
  if (!has_kernel(sums.type, gate.scalar_type()) || sums.gates.size() > kMost ||
      sums.residuals.size() > kMost || gate.numel() == 0 ||
      std::any_of(sums.gates.begin(), sums.gates.end(), has_other_type) ||
      std::any_of(sums.values.begin(), sums.values.end(), has_other_type)) {
    return plain::gated_sums(sums);
  }
  at::Tensor out = at::empty(gate.sizes(), gate.options().dtype(sums.type));
  std::vector<at::Tensor> held;
  const auto dense = [&](const at::Tensor& t) { return held.emplace_back(t.contiguous()); };
  GatedSumArguments arguments;
  for (const at::Tensor& residual : sums.residuals) {
    arguments.residuals[arguments.residual_count++] = dense(residual).const_data_ptr();
  }
  for (size_t i = 0; i < sums.gates.size(); ++i) {
    const RowsOf rows(sums.gates[i]);
    held.push_back(rows.tensor);
    arguments.gates[i] = rows.rows;
    arguments.values[i] = dense(sums.values[i]).const_data_ptr();
  }
  arguments.gate_count = static_cast<int>(sums.gates.size());
  arguments.steps = gate.size(0);
  arguments.out = out.mutable_data_ptr();
  const RowShape shape{gate.size(1), gate.size(2), element(sums.type), element(gate.scalar_type())};
  gated_sums(shape, arguments, current_stream(gate));
  return out;
}

namespace {

/// A block's arguments but for its scratch memory and its results; empty if there is no kernel for
/// it. h [R, W] is contiguous; `held` keeps what they point to.
std::optional<HeadMlpArguments> arguments_of(const HeadMlp& block, const at::Tensor& h,
                                             std::vector<at::Tensor>& held) {
  const DenseWeights* const fc1 = block.fc1->dense();
  const DenseWeights* const fc2 = block.fc2->dense();
  const int64_t width = h.size(1);
  const c10::ScalarType product = block.modulation.scalar_type();
  if (fc1 == nullptr || fc2 == nullptr || fc1->weight.scalar_type() != product ||
      fc2->weight.scalar_type() != product || !has_element(h.scalar_type()) ||
      !has_element(product) ||
      !has_head_mlp(element(h.scalar_type()), element(product), h.size(0), width)) {
    return std::nullopt;
  }
  const auto parts = block.modulation.chunk(3, -1);
  const RowsOf rows(h);
  const RowsOf shift(parts[0]);
  const RowsOf scale(parts[1]);
  const RowsOf gate(parts[2]);
  for (const void* data :
       {pointer(h), pointer(block.norm->weight), pointer(block.norm->bias), pointer(fc1->weight),
        pointer(fc2->weight), pointer(shift.tensor), pointer(scale.tensor)}) {
    if (reinterpret_cast<uintptr_t>(data) % 16 != 0) {
      return std::nullopt;
    }
  }
  held.insert(held.end(), {rows.tensor, shift.tensor, scale.tensor, gate.tensor});
  HeadMlpArguments arguments;
  arguments.norm.x = rows.rows;
  arguments.norm.weight = pointer(block.norm->weight);
  arguments.norm.bias = pointer(block.norm->bias);
  arguments.norm.shift = shift.rows;
  arguments.norm.scale = scale.rows;
  arguments.norm.eps = block.norm->eps;
  arguments.gate = gate.rows;
  arguments.fc1_weight = pointer(fc1->weight);
  arguments.fc1_bias = pointer(fc1->bias);
  arguments.fc2_weight = pointer(fc2->weight);
  arguments.fc2_bias = pointer(fc2->bias);
  arguments.rows = h.size(0);
  arguments.width = width;
  return arguments;
}

}  // namespace

std::optional<HeadMlpOutput> mlp_of_few_rows(const HeadMlp& block) {
  const at::Tensor h = block.h.contiguous();
  const c10::ScalarType product = block.modulation.scalar_type();
  std::vector<at::Tensor> held;
  std::optional<HeadMlpArguments> arguments = arguments_of(block, h, held);
  if (!arguments) {
    return std::nullopt;
  }
  const auto room = [&] { return at::empty(h.sizes(), h.options().dtype(product)); };
  at::Tensor hidden = room();
  HeadMlpOutput output{room(), at::empty_like(h)};
  arguments->hidden = hidden.mutable_data_ptr();
  arguments->mlp = output.mlp.mutable_data_ptr();
  arguments->out = output.h.mutable_data_ptr();
  head_mlp(element(product), *arguments, current_stream(h));
  return output;
}

std::optional<HeadBlocksOutput> blocks_of_few_rows(const std::vector<HeadMlp>& blocks) {
  const at::Tensor h = blocks.front().h.contiguous();
  const c10::ScalarType product = blocks.front().modulation.scalar_type();
  const auto count = static_cast<int64_t>(blocks.size());
  if (!has_element(product) || !has_head_blocks(element(product), h.size(0), h.size(1), count)) {
    return std::nullopt;
  }
  const auto room = [&](c10::ScalarType type) {
    return at::empty({count, h.size(0), h.size(1)}, h.options().dtype(type));
  };
  HeadBlocksOutput output{room(product), room(h.scalar_type())};
  at::Tensor hidden = at::empty(h.sizes(), h.options().dtype(product));
  std::vector<at::Tensor> held;
  HeadBlocksArguments all;
  for (int64_t i = 0; i < count; ++i) {
    const HeadMlp& block = blocks[static_cast<size_t>(i)];
    const auto arguments = block.modulation.scalar_type() == product
                               ? arguments_of(block, i == 0 ? h : output.hs[i - 1], held)
                               : std::nullopt;
    if (!arguments) {
      return std::nullopt;
    }
    all.blocks[i] = *arguments;
    all.blocks[i].hidden = hidden.mutable_data_ptr();
    all.blocks[i].mlp = output.mlps[i].mutable_data_ptr();
    all.blocks[i].out = output.hs[i].mutable_data_ptr();
  }
  all.count = static_cast<int>(count);
  head_blocks(element(product), all, current_stream(h));
  return output;
}

Reversed one_step(const ReverseStep& step) {
  const c10::ScalarType type = step.x.scalar_type();
  bool same = true;
  for (const at::Tensor* t : {&step.eps, &step.v, &step.noise, &step.previous_x0}) {
    same = same && (!t->defined() || t->scalar_type() == type);
  }
  if (!has_kernel(type, type) || !same || step.x.numel() == 0) {
    return plain::reverse_step(step);
  }
  const RowsOf x(step.x);
  const RowsOf eps(step.eps);
  const RowsOf v(step.v);
  const RowsOf noise(step.noise);
  const RowsOf previous(step.previous_x0);
  const auto room = [&] { return at::empty(step.x.sizes(), step.x.options()); };
  Reversed out{room(), step.keep_x0 ? room() : at::Tensor()};
  ReverseArguments arguments;
  arguments.x = x.rows;
  arguments.eps = eps.rows;
  arguments.v = v.rows;
  arguments.noise = noise.rows;
  arguments.previous_x0 = previous.rows;
  arguments.coefficients = pointer(step.coefficients);
  arguments.out = out.x.mutable_data_ptr();
  arguments.x0 = step.keep_x0 ? out.x0.mutable_data_ptr() : nullptr;
  arguments.rows = step.x.size(0);
  arguments.channels = step.x.size(1);
  arguments.temperature = step.temperature;
  reverse_step(element(type), arguments, current_stream(step.x));
  return out;
}

bool fits_head_window(const at::Tensor& x, int64_t width) {
  return has_element(x.scalar_type()) &&
         has_head_window(element(x.scalar_type()), width, x.size(1));
}

at::Tensor window(const HeadWindow& window) {
  const c10::ScalarType product = window.modulation.scalar_type();
  const DenseWeights* const input = window.input_proj->dense();
  const DenseWeights* const output = window.final_linear->dense();
  if (!window.input_columns.defined() || input == nullptr || output == nullptr ||
      !has_kernel(window.x.scalar_type(), product)) {
    return plain::head_window(window);  // another format, or types without a kernel
  }
  const at::Tensor x = window.x.contiguous();
  const at::Tensor noise = window.noise.contiguous();
  const at::Tensor difference =
      window.difference.defined() ? window.difference.contiguous() : at::Tensor();
  const RowsOf sums(window.sums);
  const RowsOf modulation(window.modulation);
  for (const at::Tensor& t :
       {noise, window.sums, window.coefficients, window.input_columns, output->weight}) {
    TORCH_CHECK(t.scalar_type() == x.scalar_type() && t.device() == x.device(),
                "head_window: every tensor but modulation has the type and the device of x");
  }
  at::Tensor out = at::empty(x.sizes(), x.options());
  WindowArguments arguments;
  arguments.x = x.const_data_ptr();
  arguments.sums = sums.rows;
  arguments.modulation = modulation.rows;
  arguments.noise = noise.const_data_ptr();
  arguments.difference = pointer(difference);
  arguments.guidance = pointer(window.guidance);
  arguments.in_columns = pointer(window.input_columns);
  arguments.in_bias = pointer(input->bias);
  arguments.out_weight = pointer(output->weight);
  arguments.out_bias = pointer(output->bias);
  arguments.coefficients = pointer(window.coefficients);
  arguments.out = out.mutable_data_ptr();
  arguments.rows = x.size(0);
  arguments.width = window.sums.size(2);
  arguments.channels = x.size(1);
  arguments.first = window.first;
  arguments.steps = window.steps();
  arguments.eps = window.norm_eps;
  arguments.temperature = window.temperature;
  head_window(element(x.scalar_type()), element(product), arguments, current_stream(x));
  return out;
}

}  // namespace lazymar::cuda
