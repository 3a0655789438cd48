#include "pipeline/kernel_twins.h"

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <optional>

#include "cache/row_ops.h"
#include "core/error.h"
#include "diffusion/head_ops.h"
#include "mar/device_noise.h"
#include "nn/device_ops.h"
#include "nn/plain_ops.h"
#include "vae/pixels.h"

namespace lazymar {
namespace {

// Twins in the form of the tables' entries.

at::Tensor norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps,
                const at::Tensor& shift, const at::Tensor& scale, c10::ScalarType type) {
  return shift.defined() ? plain::modulated_norm(x, weight, bias, eps, shift, scale)
                         : plain::layer_norm(x, weight, bias, eps, type);
}

SumAndNorm add_norm(const at::Tensor& x, const at::Tensor& y, const at::Tensor& weight,
                    const at::Tensor& bias, double eps, c10::ScalarType type) {
  const at::Tensor sum = plain::add(x, y);
  return {sum, plain::layer_norm(sum, weight, bias, eps, type)};
}

void add(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y, at::Tensor& out) {
  out.copy_(gate.defined() ? plain::add_gated(x, gate, y) : plain::add(x, y));
}

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      int64_t groups, double eps, c10::ScalarType type, bool silu) {
  const at::Tensor normed = plain::group_norm(x, weight, bias, groups, eps, weight.scalar_type());
  return (silu ? at::silu(normed) : normed).to(type);
}

std::optional<HeadMlpOutput> no_head_mlp(const HeadMlp& /*block*/) {
  return std::nullopt;
}

std::optional<HeadBlocksOutput> no_head_blocks(const std::vector<HeadMlp>& /*blocks*/) {
  return std::nullopt;
}

bool no_head_window(const at::Tensor& /*x*/, int64_t /*width*/) {
  return false;
}

/// The registered tables, to be changed.
struct Tables {
  DeviceOps nn;
  HeadDeviceOps head;
  RowDeviceOps rows;
  PixelDeviceOps pixels;
};

/// A room's table as one that may be changed: a copy of what is registered, unless it is one.
template <typename Ops>
void take(Ops& own) {
  RegisteredOps<Ops>& registered = registered_ops<Ops>();
  if (registered.ops != nullptr && registered.ops != &own) {
    own = *registered.ops;
    registered.ops = &own;
  }
}

Tables& tables() {
  static Tables all;
  take(all.nn);
  take(all.head);
  take(all.rows);
  take(all.pixels);
  return all;
}

const std::map<std::string, std::function<void()>>& replacements() {
  static const std::map<std::string, std::function<void()>> all = {
      {"norm", [] { tables().nn.norm = norm; }},
      {"add_norm", [] { tables().nn.add_norm = add_norm; }},
      {"add", [] { tables().nn.add = add; }},
      {"silu_of_sums", [] { tables().nn.silu_of_sums = plain::silu_of_sums; }},
      {"group_norm", [] { tables().nn.group_norm = group_norm; }},
      {"take_rows", [] { tables().nn.take_rows = plain::take_rows; }},
      {"write_rows", [] { tables().nn.write_rows = plain::write_rows; }},
      {"gated_sums", [] { tables().head.gated_sums = plain::gated_sums; }},
      {"head_mlp", [] { tables().head.head_mlp = no_head_mlp; }},
      {"head_blocks", [] { tables().head.head_blocks = no_head_blocks; }},
      {"head_window", [] { tables().head.has_head_window = no_head_window; }},
      {"reverse_step", [] { tables().head.reverse_step = plain::reverse_step; }},
      {"mean_cosine_similarity",
       [] { tables().rows.mean_cosine_similarity = plain::mean_cosine_similarity; }},
      {"least_similar_rows", [] { tables().rows.least_similar_rows = plain::least_similar_rows; }},
      {"to_bytes", [] { tables().pixels.to_bytes = plain::to_bytes; }},
      // Without a table, the CPU draws.
      {"draw_normals", [] { registered_ops<NoiseDeviceOps>().ops = nullptr; }},
  };
  return all;
}

}  // namespace

bool has_own_kernels(c10::DeviceType device) {
  return device_ops(device) != nullptr;
}

std::vector<std::string> kernel_entries() {
  std::vector<std::string> names;
  for (const auto& [name, replace] : replacements()) {
    names.push_back(name);
  }
  return names;
}

void use_twin(c10::DeviceType device, const std::string& entry) {
  const auto found = replacements().find(entry);
  if (found == replacements().end()) {
    throw Error(ErrorKind::kInternal, concat("no kernel is called ", entry));
  }
  if (has_own_kernels(device)) {
    found->second();
  }
}

}  // namespace lazymar
