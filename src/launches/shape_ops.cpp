#include "launches/shape_ops.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "cache/row_ops.h"
#include "core/error.h"
#include "diffusion/head_ops.h"
#include "launches/launch_log.h"
#include "launches/tensor_bytes.h"
#include "mar/device_noise.h"
#include "nn/device_ops.h"
#include "nn/launch_count.h"
#include "vae/pixels.h"

namespace lazymar {
namespace {

// --- The bytes behind an operation's arguments and results ---

template <typename T>
int64_t moved(const T& /*number*/) {
  static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, RowSelection>);
  return 0;
}
int64_t moved(const at::Tensor& t) {
  return bytes_of(t);
}
int64_t moved(const std::vector<at::Tensor>& all) {
  int64_t bytes = 0;
  for (const at::Tensor& t : all) {
    bytes += bytes_of(t);
  }
  return bytes;
}
int64_t moved(const Linear& layer) {
  const DenseWeights* const weights = layer.dense();
  return weights != nullptr ? bytes_of(weights->weight) + bytes_of(weights->bias) : 0;
}
int64_t moved(const SumAndNorm& result) {
  return bytes_of(result.sum) + bytes_of(result.normed);
}
int64_t moved(const HeadMlp& block) {
  // Between its two launches, the hidden rows are written and read.
  const int64_t hidden = 2 * block.h.numel() * block.modulation.element_size();
  return moved(*block.fc1) + moved(*block.fc2) + 2 * bytes_of(block.h) +
         bytes_of(block.modulation) + bytes_of(block.norm->weight) + bytes_of(block.norm->bias) +
         hidden;
}
int64_t moved(const std::optional<HeadMlpOutput>& result) {
  return result ? bytes_of(result->mlp) + bytes_of(result->h) : 0;
}
/// The sum of f over blocks, each with an h: only the first is given, all have its shape.
template <typename F>
int64_t sum_over(const std::vector<HeadMlp>& blocks, const F& f) {
  int64_t sum = 0;
  for (HeadMlp block : blocks) {
    block.h = blocks.front().h;
    sum += f(block);
  }
  return sum;
}
int64_t moved(const std::vector<HeadMlp>& blocks) {
  return sum_over(blocks, [](const HeadMlp& block) { return moved(block); });
}
int64_t moved(const std::optional<HeadBlocksOutput>& result) {
  return result ? bytes_of(result->mlps) + bytes_of(result->hs) : 0;
}
int64_t moved(const GatedSums& sums) {
  return moved(sums.residuals) + moved(sums.gates) + moved(sums.values);
}
int64_t moved(const ReverseStep& step) {
  return moved(std::vector{step.x, step.eps, step.v, step.noise, step.previous_x0});
}
int64_t moved(const Reversed& result) {
  return bytes_of(result.x) + bytes_of(result.x0);
}
int64_t moved(const HeadWindow& window) {
  const int64_t noise = window.steps() * bytes_of(window.x);
  return moved(std::vector{window.x, window.sums, window.modulation, window.difference}) + noise +
         moved(*window.input_proj) + moved(*window.final_linear);
}
int64_t moved(const NormalDraw& draw) {
  return bytes_of(draw.positions);
}

// --- The products within an operation ---

template <typename T>
int64_t flops_of(const T& /*argument*/) {
  return 0;
}
int64_t flops_of(const HeadMlp& block) {
  return 2 * block.h.size(0) * (block.fc1->in * block.fc1->out + block.fc2->in * block.fc2->out);
}
int64_t flops_of(const std::vector<HeadMlp>& blocks) {
  return sum_over(blocks, [](const HeadMlp& block) { return flops_of(block); });
}
int64_t flops_of(const HeadWindow& window) {
  const Linear& in = *window.input_proj;
  const Linear& out = *window.final_linear;
  return 2 * window.steps() * window.x.size(0) * (in.in * in.out + out.in * out.out);
}

// --- The tables ---

/// A room's kernels, without notes.
template <typename Ops>
Ops& kernels() {
  static Ops ops;
  return ops;
}

void note(const char* name, int64_t launches_before, int64_t bytes, int64_t flops) {
  const int64_t launches = launch_count().launches - launches_before;
  if (current_log() != nullptr && launches > 0) {  // otherwise its plain twin has run
    current_log()->add(name, kernel_work(launches, bytes, flops));
  }
}

/// An operation's name, as a template's argument.
template <size_t length>
struct Name {
  consteval Name(const char (&text)[length]) { std::copy_n(text, length, characters); }
  char characters[length] = {};
};

template <Name name, auto entry>
struct Noting;
template <Name name, typename Ops, typename Result, typename... Arguments,
          Result (*Ops::*entry)(Arguments...)>
struct Noting<name, entry> {
  static Result call(Arguments... arguments) {
    const int64_t before = launch_count().launches;
    const int64_t flops = (int64_t{0} + ... + flops_of(arguments));
    const auto run = [&]() -> Result { return (kernels<Ops>().*entry)(arguments...); };
    if constexpr (std::is_void_v<Result>) {
      run();
      note(name.characters, before, (int64_t{0} + ... + moved(arguments)), flops);
    } else {
      Result result = run();
      note(name.characters, before, (moved(result) + ... + moved(arguments)), flops);
      return result;
    }
  }
};

/// Replaces a table's entry by one that notes.
template <Name name, auto entry, typename Ops>
void put(Ops& ops) {
  ops.*entry = &Noting<name, entry>::call;
}

// Of the table only the rows that are asked for are read or written.
at::Tensor noted_take_rows(const at::Tensor& x, const at::Tensor& rows) {
  const int64_t before = launch_count().launches;
  at::Tensor out = kernels<DeviceOps>().take_rows(x, rows);
  note("take_rows", before, 2 * bytes_of(out) + bytes_of(rows), 0);
  return out;
}
void noted_write_rows(at::Tensor& target, const at::Tensor& rows, const at::Tensor& source) {
  const int64_t before = launch_count().launches;
  kernels<DeviceOps>().write_rows(target, rows, source);
  note("write_rows", before, 2 * bytes_of(source) + bytes_of(rows), 0);
}

/// What a graph holds: the second run of the work, as on a GPU.
class NotedGraph final : public Capture {
 public:
  explicit NotedGraph(const std::function<void()>& work) {
    work();
    const NoteIn notes(&nodes_);
    work();
  }
  void replay() override {
    if (current_log() == nullptr) {
      return;
    }
    LaunchLog replayed = nodes_;
    replayed.graph_nodes = nodes_.total().launches;
    replayed.graph_launches = 1;
    *current_log() += replayed;
  }

 private:
  LaunchLog nodes_;
};

/// What was registered for the device.
struct Registered {
  RegisteredOps<DeviceOps> device = registered_ops<DeviceOps>();
  RegisteredOps<HeadDeviceOps> head = registered_ops<HeadDeviceOps>();
  RegisteredOps<RowDeviceOps> rows = registered_ops<RowDeviceOps>();
  RegisteredOps<NoiseDeviceOps> noise = registered_ops<NoiseDeviceOps>();
  RegisteredOps<PixelDeviceOps> pixels = registered_ops<PixelDeviceOps>();
};
std::optional<Registered>& registered() {
  static std::optional<Registered> before;
  return before;
}

/// Registers a room's noting table in front of its kernels for shapes.
template <typename Ops, typename Fill>
void serve(const Fill& fill) {
  static Ops noting;
  kernels<Ops>() = *device_ops<Ops>(c10::kMeta);
  noting = kernels<Ops>();
  fill(noting);
  register_device_ops<Ops>(&noting, c10::kMeta);
}

}  // namespace

ShapeOps::ShapeOps() {
  const DeviceOps* const device = registered_ops<DeviceOps>().ops;
  if (device == nullptr || device->serve_shapes == nullptr) {
    throw usage_error("this build has no CUDA kernels; configure it with -DLAZYMAR_CUDA=ON");
  }
  registered().emplace();
  device->serve_shapes();
  launch_count() = {.instead = true};
  serve<DeviceOps>([](DeviceOps& ops) {
    put<"norm", &DeviceOps::norm>(ops);
    put<"add_norm", &DeviceOps::add_norm>(ops);
    put<"add", &DeviceOps::add>(ops);
    put<"silu_of_sums", &DeviceOps::silu_of_sums>(ops);
    put<"group_norm", &DeviceOps::group_norm>(ops);
    ops.take_rows = noted_take_rows;
    ops.write_rows = noted_write_rows;
    ops.capture = [](const std::function<void()>& work) -> std::unique_ptr<Capture> {
      return std::make_unique<NotedGraph>(work);
    };
  });
  serve<HeadDeviceOps>([](HeadDeviceOps& ops) {
    put<"gated_sums", &HeadDeviceOps::gated_sums>(ops);
    put<"head_mlp", &HeadDeviceOps::head_mlp>(ops);
    put<"head_blocks", &HeadDeviceOps::head_blocks>(ops);
    put<"head_window", &HeadDeviceOps::head_window>(ops);
    put<"reverse_step", &HeadDeviceOps::reverse_step>(ops);
  });
  serve<RowDeviceOps>([](RowDeviceOps& ops) {
    put<"mean_cosine_similarity", &RowDeviceOps::mean_cosine_similarity>(ops);
    put<"least_similar_rows", &RowDeviceOps::least_similar_rows>(ops);
  });
  serve<NoiseDeviceOps>(
      [](NoiseDeviceOps& ops) { put<"draw_normals", &NoiseDeviceOps::draw_normals>(ops); });
  serve<PixelDeviceOps>(
      [](PixelDeviceOps& ops) { put<"to_bytes", &PixelDeviceOps::to_bytes>(ops); });
}

ShapeOps::~ShapeOps() {
  launch_count() = {};
  const Registered before = *registered();
  registered_ops<DeviceOps>() = before.device;
  registered_ops<HeadDeviceOps>() = before.head;
  registered_ops<RowDeviceOps>() = before.rows;
  registered_ops<NoiseDeviceOps>() = before.noise;
  registered_ops<PixelDeviceOps>() = before.pixels;
}

}  // namespace lazymar
