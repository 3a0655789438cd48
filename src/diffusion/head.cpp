#include "diffusion/head.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "nn/ops.h"

namespace lazymar {
namespace {

constexpr int64_t kSinusoids = 256;
constexpr double kMaxPeriod = 10000.0;

}  // namespace

HeadMlpOutput HeadBlock::operator()(const at::Tensor& h, const at::Tensor& modulation) const {
  work_count().head_rows += h.size(0);
  return head_mlp({&in_ln, &fc1, &fc2, h, modulation});
}

at::Tensor DiffusionHead::time_table(std::span<const int64_t> timesteps) const {
  constexpr int64_t kHalf = kSinusoids / 2;
  const std::vector<float> times(timesteps.begin(), timesteps.end());
  const at::Tensor frequencies =
      at::exp(at::arange(kHalf, c10::kFloat) * -std::log(kMaxPeriod) / kHalf);
  const at::Tensor angles = at::tensor(times).unsqueeze(1) * frequencies;
  const at::Tensor sinusoids = at::cat({angles.cos(), angles.sin()}, -1);
  return time_fc2(time_fc1(sinusoids.to(blocks.front().in_ln.weight.device()), Activation::kSilu));
}

BlocksRun run_blocks(std::span<const HeadBlock> blocks, const at::Tensor& h,
                     std::span<const at::Tensor> modulation, bool keep_outputs) {
  BlocksRun run{h, {}, {}};
  if (blocks.size() > 1 && can_launch_blocks(h)) {
    std::vector<HeadMlp> all;
    for (size_t i = 0; i < blocks.size(); ++i) {
      const HeadBlock& block = blocks[i];
      all.push_back(
          {&block.in_ln, &block.fc1, &block.fc2, i == 0 ? h : at::Tensor(), modulation[i]});
    }
    if (const auto made = head_blocks(all)) {
      const auto count = static_cast<int64_t>(blocks.size());
      work_count().head_rows += count * h.size(0);
      for (int64_t i = 0; keep_outputs && i < count; ++i) {
        run.outputs.push_back({made->mlps[i], made->hs[i]});
      }
      run.h = made->hs[count - 1];
      run.hs = made->hs;
      return run;
    }
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    HeadMlpOutput output = blocks[i](run.h, modulation[i]);
    run.h = output.h;
    if (keep_outputs) {
      run.outputs.push_back(std::move(output));
    }
  }
  return run;
}

std::vector<const Linear*> DiffusionHead::adaptive_layers(bool first) const {
  std::vector<const Linear*> layers;
  for (const HeadBlock& block : blocks) {
    layers.push_back(&block.ada);
  }
  layers.push_back(first ? &final_ada : &final_ada_rounded);
  return layers;
}

at::Tensor DiffusionHead::final_layer(const at::Tensor& h, const at::Tensor& modulation) const {
  const auto parts = modulation.chunk(2, -1);
  return final_linear(modulated_norm(h, {}, {}, norm_eps, parts[0], parts[1]));
}

DiffusionHead load_head(WeightSource& weights, const MarConfig& config) {
  const std::string net = "diffloss.net.";
  const int64_t width = config.head_width;
  const Placement& placement = weights.placement();
  DiffusionHead head;
  head.norm_eps = config.norm_eps;
  head.input_proj =
      load_linear(weights, LayerRole::kExact, net + "input_proj", config.token_channels, width);
  if (const DenseWeights* dense = head.input_proj.dense()) {
    head.input_columns = dense->weight.t().contiguous();
  }
  head.cond_embed =
      load_linear(weights, LayerRole::kExact, net + "cond_embed", config.decoder_dim, width);
  head.time_fc1 =
      load_linear(weights, LayerRole::kExact, net + "time_embed.mlp.0", kSinusoids, width);
  head.time_fc2 = load_linear(weights, LayerRole::kExact, net + "time_embed.mlp.2", width, width);
  for (int64_t i = 0; i < config.head_depth; ++i) {
    const std::string name = net + "res_blocks." + std::to_string(i);
    HeadBlock block;
    block.in_ln = load_layer_norm(weights, name + ".in_ln", width, config.norm_eps);
    block.fc1 = load_linear(weights, LayerRole::kHead, name + ".mlp.0", width, width);
    block.fc2 = load_linear(weights, LayerRole::kHead, name + ".mlp.2", width, width);
    const DenseWeights ada =
        load_dense_weights(weights, name + ".adaLN_modulation.1", width, 3 * width);
    block.ada = make_linear(ada, LayerRole::kModulation, placement);
    const auto gate = block.ada.slice(2 * width, width);
    block.ada_gate =
        gate ? *gate
             : make_linear(ada.outputs(2 * width, width), LayerRole::kModulation, placement);
    head.blocks.push_back(block);
  }
  const DenseWeights final_ada =
      load_dense_weights(weights, net + "final_layer.adaLN_modulation.1", width, 2 * width);
  head.final_ada = make_linear(final_ada, LayerRole::kExact, placement);
  const LayerFormats& formats = placement.precision->formats;
  head.final_ada_rounded = formats.of(LayerRole::kModulation) == formats.of(LayerRole::kExact)
                               ? head.final_ada
                               : make_linear(final_ada, LayerRole::kModulation, placement);
  head.final_linear = load_linear(weights, LayerRole::kExact, net + "final_layer.linear", width,
                                  2 * config.token_channels);
  return head;
}

at::Tensor guide(const at::Tensor& unconditional, const at::Tensor& difference,
                 const at::Tensor& guidance) {
  return unconditional + guidance * difference;
}

HeadOutput FullHeadRunner::predict(const DiffusionHead& head, const HeadStep& step) {
  const int64_t rows = step.x.size(0);
  const at::Tensor input = head.input_proj(step.x).repeat({step.halves, 1});
  const bool first = step.index == step.steps - 1;
  if (first) {
    modulation_.reset();
  }
  const auto modulation = modulation_.at(step.index, head.adaptive_layers(first),
                                         {step.times, step.condition, input.size(0)},
                                         [first](int64_t i) { return first ? -1 : i - 1; });
  const at::Tensor h = run_blocks(head.blocks, input, modulation, /*keep_outputs=*/false).h;
  const auto parts = head.final_layer(h, modulation.back()).chunk(2, -1);
  if (step.halves == 1) {
    return {parts[0], parts[1]};
  }
  const at::Tensor conditional = parts[0].narrow(0, 0, rows);
  const at::Tensor unconditional = parts[0].narrow(0, rows, rows);
  return {guide(unconditional, conditional - unconditional, step.guidance),
          parts[1].narrow(0, 0, rows)};
}

HeadSampler::HeadSampler(const DiffusionHead& head, const std::vector<HeadSchedule>& schedules,
                         const ExactOptimizations& optimizations)
    : head_(head), optimizations_(optimizations) {
  for (const HeadSchedule& schedule : schedules) {
    Process process;
    process.timesteps = schedule.timesteps;
    process.solver = solvers().at(schedule.solver).steps(alpha_bars_at(schedule.timesteps));
    process.single_step = std::none_of(process.solver.begin(), process.solver.end(),
                                       [](const SolverStep& s) { return s.to_previous_x0 != 0; });
    process.times = head.time_table(process.timesteps);
    process.coefficients = solver_table(process.solver).to(process.times);
    process.noise_keys = at::tensor(schedule.noise_keys, c10::kLong).to(process.times.device());
    processes_.push_back(std::move(process));
  }
}

at::Tensor HeadSampler::sample(HeadRunner& runner, const Request& request) {
  const Inputs inputs{
      request.z,        request.noise,  at::full({}, request.guidance, request.noise.options()),
      request.schedule, request.halves, request.temperature};
  return can_capture(request.z.device().type()) ? replayed(runner, inputs, request.guidance)
                                                : loop(runner, inputs);
}

at::Tensor HeadSampler::loop(HeadRunner& runner, const Inputs& inputs) const {
  const Process& process = at(inputs.schedule);
  const HeadProcess ahead_by{process.coefficients, inputs.noise, inputs.temperature};
  HeadStep step;
  step.steps = process.steps();
  step.halves = inputs.halves;
  step.guidance = inputs.guidance;
  step.times = optimizations_.time_table ? process.times : head_.time_table(process.timesteps);
  step.x = inputs.noise[process.steps()];
  at::Tensor x0;
  for (int64_t i = process.steps() - 1; i >= 0;) {
    step.index = i;
    if (!step.condition.defined() || !optimizations_.condition_once) {
      step.condition = head_.cond_embed(inputs.z).to(process.times.scalar_type());
    }
    if (process.single_step) {
      if (const auto ahead = runner.advance(head_, step, ahead_by)) {
        step.x = ahead->x;
        i -= ahead->steps;
        continue;
      }
    }
    const auto [eps, v] = runner.predict(head_, step);
    const SolverStep& by = process.solver[static_cast<size_t>(i)];
    ReverseStep reverse{step.x, eps, v, {}, process.coefficients[i], inputs.temperature, {}, false};
    reverse.noise = by.noise != 0 ? inputs.noise[i] : at::Tensor();
    reverse.previous_x0 = by.to_previous_x0 != 0 ? x0 : at::Tensor();
    reverse.keep_x0 = !process.single_step;
    Reversed reversed = reverse_step(reverse);
    step.x = reversed.x;
    x0 = reversed.x0;
    --i;
  }
  return step.x;
}

at::Tensor HeadSampler::replayed(HeadRunner& runner, const Inputs& inputs, double guidance) {
  CapturedLoop& kept =
      captured_[{&runner, inputs.schedule, inputs.z.size(0), inputs.halves, inputs.temperature}];
  if (!kept.tokens.defined()) {
    kept.inputs = inputs;
    kept.inputs.z = inputs.z.clone();
    kept.inputs.noise = inputs.noise.clone();
    kept.inputs.guidance = inputs.guidance.clone();
    kept.tokens = at::empty(inputs.noise.sizes().slice(1), inputs.noise.options());
  } else {
    kept.inputs.z.copy_(inputs.z);
    kept.inputs.noise.copy_(inputs.noise);
    kept.inputs.guidance.fill_(guidance);
  }
  const bool first_replay = kept.runs++ == 1 && checks_replays();
  kept.loop.run(inputs.z.device().type(),
                [this, &runner, &kept] { kept.tokens.copy_(loop(runner, kept.inputs)); });
  return first_replay ? checked(runner, kept) : kept.tokens.clone();
}

at::Tensor HeadSampler::checked(HeadRunner& runner, const CapturedLoop& kept) const {
  const WorkCount counted = work_count();
  const NoCaptures nothing;
  at::Tensor launched = loop(runner, kept.inputs);
  work_count() = counted;
  return accept_replay("the diffusion loop", kept.tokens, launched) ? kept.tokens.clone()
                                                                    : launched;
}

}  // namespace lazymar
