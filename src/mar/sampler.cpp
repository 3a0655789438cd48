#include "mar/sampler.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "core/error.h"
#include "diffusion/detail_score.h"
#include "mar/device_noise.h"
#include "method/orders.h"
#include "nn/ops.h"
#include "nn/transfer.h"

namespace lazymar {
namespace {

/// Orders of the whole batch, [B, L] int64 on the CPU, sorted within each step.
at::Tensor draw_orders(NoiseSource& noise, int64_t images, int64_t length,
                       const DecodingPlan& plan) {
  at::Tensor of_batch = at::empty({images, length}, c10::kLong);
  const TokenOrder order = make_order(plan.method.order, length);
  for (int64_t image = 0; image < images; ++image) {
    const std::span row(of_batch[image].mutable_data_ptr<int64_t>(), static_cast<size_t>(length));
    noise.order(image, row);
    order.arrange(row);
    sort_within_steps(row, plan.steps);
  }
  return of_batch;
}

/// Computes the steps that another observer wants, unseen.
class Unseen final : public SampleObserver {
 public:
  explicit Unseen(SampleObserver& like) : like_(like) {}
  bool wants(const DecodeStep& step) override { return like_.wants(step); }

 private:
  SampleObserver& like_;
};

}  // namespace

Sampler::Sampler(const Mar& mar, const DecodingPlan& plan, const ExactOptimizations& optimizations)
    : mar_(mar),
      optimizations_(optimizations),
      plan_(plan),
      head_(mar.head, plan.head_schedules, optimizations),
      first_step_(mar) {
  const c10::InferenceMode guard;
  mask_rows_ = mar.mask_rows();
}

at::Tensor Sampler::sample(Runner& runner, HeadRunner& head_runner, const at::Tensor& labels,
                           NoiseSource& noise, SampleObserver& observer) {
  const c10::InferenceMode guard;
  const int64_t captured_before = captured_works();
  at::Tensor tokens = sample_once(runner, head_runner, labels, noise, observer);
  if (captured_works() != captured_before) {
    check_captures(runner, head_runner, labels, noise, observer, tokens);
    release_eager_memory(tokens.device().type());  // later batches only replay
  }
  return tokens;
}

void Sampler::check_captures(Runner& runner, HeadRunner& head_runner, const at::Tensor& labels,
                             NoiseSource& noise, SampleObserver& observer,
                             const at::Tensor& tokens) {
  if (!checks_replays() || !can_capture(tokens.device().type())) {
    return;
  }
  const WorkCount counted = work_count();
  Unseen unseen(observer);
  accept_replay("a batch", sample_once(runner, head_runner, labels, noise, unseen), tokens);
  work_count() = counted;
}

at::Tensor Sampler::sample_once(Runner& runner, HeadRunner& head_runner, const at::Tensor& labels,
                                NoiseSource& noise, SampleObserver& observer) {
  const int64_t images = labels.size(0);
  const int64_t length = mar_.config.sequence_length;
  const c10::Device device = mar_.class_emb.device();
  const at::Tensor device_labels = sent_to(device, labels);
  Orders orders;
  orders.here = draw_orders(noise, images, length, plan_);
  orders.there = sent_to(device, orders.here);
  if (const auto stream = noise.counter_based(); stream && draws_normals(device.type())) {
    orders.ids = sent_to(device, at::tensor(stream->image_ids, c10::kLong));
  }
  begin(runner, device_labels, orders);
  observer.begins(batch_);
  for (const DecodeStep& step : plan_.steps) {
    if (!observer.wants(step)) {
      continue;
    }
    observer.step_begins(step);
    const bool from_table = step.index == 0 && optimizations_.first_step && !runner.keeps(step);
    const at::Tensor z = from_table
                             ? first_step_
                                   .z(labels, orders.there.narrow(1, step.first, step.predicted()),
                                      mask_rows_, plan_.guided())
                                   .flatten(0, 1)
                             : compute_z(runner, step, observer);
    observer.conditioned(step, z);
    if (step.predicted() == 0) {
      continue;
    }
    const at::Tensor rows = sample_rows(head_runner, z, orders, step, noise);
    observer.sampled(step, rows);
    tokens_.narrow(1, step.first, step.predicted())
        .copy_(rows.view({images, step.predicted(), -1}));
  }
  const at::Tensor index = orders.there.unsqueeze(-1).expand_as(tokens_);
  return at::empty_like(tokens_).scatter_(1, index, tokens_);
}

void Sampler::begin(Runner& runner, const at::Tensor& labels, const Orders& orders) {
  const int64_t images = labels.size(0);
  if (batch_.images != images || repeated_for_ != &runner) {
    forget_captures();
    repeated_for_ = &runner;
  }
  int64_t most = 0;
  for (const DecodeStep& step : plan_.steps) {
    most = std::max(most, step.predicted());
  }
  const at::TensorOptions options = mar_.diffusion_pos_embed.options();
  make_room(tokens_, {images, mar_.config.sequence_length, mar_.config.token_channels}, options);
  make_room(z_, {plan_.halves() * images * most, mar_.config.decoder_dim}, options);
  tokens_.zero_();
  mar_.begin(batch_, orders.there, mar_.class_rows(labels, plan_.guided()), mask_rows_,
             optimizations_);
  runner.begin(batch_);
}

at::Tensor Sampler::compute_z(Runner& runner, const DecodeStep& step, SampleObserver& observer) {
  const c10::DeviceType device = z_.device().type();
  RepeatedStep& repeated = repeated_[static_cast<size_t>(step.index)];
  repeated.encoder.run(device,
                       [this, &runner, &step] { mar_.encode(runner, batch_, tokens_, step); });
  observer.encoded(step);
  at::Tensor z = z_.narrow(0, 0, batch_.halves * batch_.images * step.predicted());
  repeated.decoder.run(device, [this, &runner, &step, z] {
    z.copy_(mar_.decode(runner, batch_, step).flatten(0, 1));
  });
  return z.clone();  // the next step writes there
}

void Sampler::forget_captures() {
  head_.forget_captures();
  repeated_.clear();
  repeated_.resize(plan_.steps.size());
}

at::Tensor Sampler::sample_rows(HeadRunner& head_runner, const at::Tensor& z, const Orders& orders,
                                const DecodeStep& step, NoiseSource& noise) {
  if (step.detail == 0) {
    return sample_part(head_runner, z, at::Tensor(), orders, step, noise);
  }
  const int64_t count = step.predicted();
  const at::Tensor conditional =
      z.narrow(0, 0, batch_.images * count).view({batch_.images, count, -1});
  // The rows of each image, by falling score. Ties keep their order.
  const at::Tensor ranked =
      detail_score(conditional).argsort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  const at::Tensor first = at::arange(batch_.images, ranked.options()).unsqueeze(1) * count;
  at::Tensor tokens;
  int64_t from = step.detail;
  DecodeStep part = step;
  for (const HeadPart& of : head_parts(step)) {
    part.head_schedule = of.schedule;
    const at::Tensor rows =
        (std::get<0>(ranked.narrow(1, from, of.tokens).sort(1)) + first).flatten();
    const at::Tensor sampled = sample_part(head_runner, z, rows, orders, part, noise);
    if (!tokens.defined()) {
      tokens = at::empty({batch_.images * count, sampled.size(1)}, sampled.options());
    }
    tokens.index_copy_(0, rows, sampled);
    from = 0;
  }
  return tokens;
}

at::Tensor Sampler::sample_part(HeadRunner& head_runner, const at::Tensor& z,
                                const at::Tensor& rows, const Orders& orders,
                                const DecodeStep& step, NoiseSource& noise) {
  at::Tensor condition = z;
  if (rows.defined()) {
    const int64_t half = batch_.images * step.predicted();
    condition = z.index_select(0, plan_.guided() ? at::cat({rows, rows + half}) : rows);
  }
  const at::Tensor drawn = draw_noise(orders, step, rows, noise).to(z.scalar_type());
  return head_.sample(head_runner, {condition, drawn, step.head_schedule, plan_.halves(),
                                    step.guidance, plan_.method.temperature});
}

at::Tensor Sampler::draw_noise(const Orders& orders, const DecodeStep& step, const at::Tensor& rows,
                               NoiseSource& noise) const {
  const HeadSchedule& schedule = plan_.head_schedules[static_cast<size_t>(step.head_schedule)];
  const int64_t steps = schedule.steps();
  const int64_t channels = mar_.config.token_channels;
  const auto predicted = [&](const at::Tensor& of_all) {
    const at::Tensor part = of_all.narrow(1, step.first, step.predicted());
    return rows.defined()
               ? part.flatten().index({rows.to(of_all.device())}).view({of_all.size(0), -1})
               : part;
  };
  if (orders.ids.defined()) {
    return draw_normals({noise.counter_based()->key, orders.ids, predicted(orders.there),
                         step.noise_step, head_.noise_keys(step.head_schedule), channels});
  }
  const at::Tensor positions = predicted(orders.here).contiguous();
  const int64_t count = positions.numel();
  at::Tensor values = empty_for(orders.there.device(), {steps + 1, count, channels}, c10::kFloat);
  const auto fill = [&](int64_t slot, int64_t diffusion_step, int64_t key) {
    const at::Tensor part = values[slot];
    noise.normals({step.index,
                   diffusion_step,
                   channels,
                   {positions.const_data_ptr<int64_t>(), static_cast<size_t>(count)},
                   key,
                   step.noise_step},
                  {part.mutable_data_ptr<float>(), static_cast<size_t>(part.numel())});
  };
  fill(steps, NoiseRequest::kStart, 0);
  for (int64_t i = steps - 1; i >= 0; --i) {
    if (head_.adds_noise(step.head_schedule, i)) {
      fill(i, i, schedule.noise_keys[static_cast<size_t>(i)]);
    } else {
      values[i].zero_();
    }
  }
  return sent_to(orders.there.device(), values);
}

at::Tensor unpatchify(const at::Tensor& tokens, int64_t patch_size) {
  const int64_t p = patch_size;
  const auto side =
      static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(tokens.size(1)))));
  const int64_t channels = tokens.size(2) / (p * p);
  if (side * side != tokens.size(1) || channels * p * p != tokens.size(2)) {
    throw usage_error("a sequence of ", tokens.size(1), " tokens of ", tokens.size(2),
                      " channels does not form a square image of ", p, "x", p, " patches");
  }
  return tokens.view({tokens.size(0), side, side, channels, p, p})
      .permute({0, 3, 1, 4, 2, 5})
      .reshape({tokens.size(0), channels, side * p, side * p});
}

}  // namespace lazymar
