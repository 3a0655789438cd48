/// Linear at the shapes of the published models. One layer is called repeatedly: if the processor's
/// cache holds its weight, a few rows look faster than in a model, where every layer's weight comes
/// from memory.

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/network_config.h"
#include "measure.h"
#include "nn/linear.h"

namespace lazymar::bench {
namespace {

constexpr int64_t kRows[] = {2, 8, 64, 320, 640};

struct LayerShape {
  std::string_view name;
  int64_t in, out;
  Activation activation = Activation::kNone;
};

/// The different shapes in blocks and head.
std::vector<LayerShape> layers_of(const MarConfig& config) {
  const int64_t dim = config.decoder_dim;
  const int64_t mlp = config.decoder_mlp_dim;
  const int64_t width = config.head_width;
  return {
      {"block.q", dim, dim},
      {"block.kv", dim, 2 * dim},
      {"block.fc1+gelu", dim, mlp, Activation::kGelu},
      {"block.fc2", mlp, dim},
      {"head.input", config.token_channels, width},
      {"head.condition", dim, width},
      {"head.fc1+silu", width, width, Activation::kSilu},
      {"head.ada", width, 3 * width},
      {"head.final_ada", width, 2 * width},
      {"head.final", width, 2 * config.token_channels},
  };
}

void linear(benchmark::State& state, const LayerShape& shape, std::string_view precision,
            int64_t rows) {
  const Linear layer = make_linear({at::rand({shape.out, shape.in}), at::rand({shape.out})},
                                   LayerRole::kMlpIn, placement(precision));
  const at::Tensor x = at::rand({rows, shape.in}).to(layer.input_type());
  measure(state, [&] { return layer(x, shape.activation); });
}

}  // namespace
}  // namespace lazymar::bench

int main(int argc, char** argv) {
  using namespace lazymar;
  for (const char* model : {"mar_base", "mar_large", "mar_huge"}) {
    for (const bench::LayerShape& shape : bench::layers_of(published_config(*find_preset(model)))) {
      for (const char* precision : bench::kPrecisions) {
        for (const int64_t rows : bench::kRows) {
          bench::add(concat(model, '/', shape.name, ':', shape.in, 'x', shape.out, '/', precision,
                            "/rows:", rows),
                     benchmark::kMicrosecond, [=](benchmark::State& state) {
                       bench::linear(state, shape, precision, rows);
                     });
        }
      }
    }
  }
  return bench::run(argc, argv);
}
