#include "head_ops.h"

#include <vector>

#include "tensors.h"

namespace lazymar::cuda {

at::Tensor sums_of_gates(const GatedSums& sums) {
  const at::Tensor& gate = sums.gates.front();
  constexpr size_t kMost = GatedSumArguments::kMost;
  if (!has_kernel(sums.type, gate.scalar_type()) || sums.gates.size() > kMost ||
      sums.residuals.size() > kMost || gate.numel() == 0) {
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

at::Tensor posterior_step(const Posterior& step) {
  const c10::ScalarType type = step.x.scalar_type();
  const bool same = step.eps.scalar_type() == type && step.v.scalar_type() == type &&
                    (!step.noise.defined() || step.noise.scalar_type() == type);
  if (!has_kernel(type, type) || !same || step.x.numel() == 0) {
    return plain::posterior(step);
  }
  const RowsOf x(step.x);
  const RowsOf eps(step.eps);
  const RowsOf v(step.v);
  const RowsOf noise(step.noise);
  at::Tensor out = at::empty(step.x.sizes(), step.x.options());
  posterior(element(type),
            {x.rows, eps.rows, v.rows, noise.rows, pointer(step.coefficients),
             out.mutable_data_ptr(), step.x.size(0), step.x.size(1), step.temperature},
            current_stream(step.x));
  return out;
}

bool fits_head_window(const at::Tensor& x, int64_t width) {
  return has_element(x.scalar_type()) &&
         has_head_window(element(x.scalar_type()), width, x.size(1));
}

at::Tensor window(const HeadWindow& window) {
  if (window.input_proj->packed() || window.final_linear->packed()) {
    return plain::head_window(window);  // weights that only their own product can read
  }
  const at::Tensor x = window.x.contiguous();
  const at::Tensor noise = window.noise.contiguous();
  const at::Tensor difference =
      window.difference.defined() ? window.difference.contiguous() : at::Tensor();
  const RowsOf sums(window.sums);
  const RowsOf modulation(window.modulation);
  for (const at::Tensor& t : {noise, window.sums, window.modulation, window.coefficients,
                              window.input_proj->weight(), window.final_linear->weight()}) {
    TORCH_CHECK(t.scalar_type() == x.scalar_type() && t.device() == x.device(),
                "head_window: every tensor has the type and the device of x");
  }
  at::Tensor out = at::empty(x.sizes(), x.options());
  WindowArguments arguments;
  arguments.x = x.const_data_ptr();
  arguments.sums = sums.rows;
  arguments.modulation = modulation.rows;
  arguments.noise = noise.const_data_ptr();
  arguments.difference = pointer(difference);
  arguments.guidance = pointer(window.guidance);
  arguments.in_weight = pointer(window.input_proj->weight());
  arguments.in_bias = pointer(window.input_proj->bias());
  arguments.out_weight = pointer(window.final_linear->weight());
  arguments.out_bias = pointer(window.final_linear->bias());
  arguments.coefficients = pointer(window.coefficients);
  arguments.out = out.mutable_data_ptr();
  arguments.rows = x.size(0);
  arguments.width = window.sums.size(2);
  arguments.channels = x.size(1);
  arguments.first = window.first;
  arguments.steps = window.steps();
  arguments.eps = window.norm_eps;
  arguments.temperature = window.temperature;
  head_window(element(x.scalar_type()), arguments, current_stream(x));
  return out;
}

}  // namespace lazymar::cuda
