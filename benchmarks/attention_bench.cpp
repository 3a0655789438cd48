/// Attention between the rows of a sequence, by nn/ops.h ("ops") and by plain ATen ("plain"). The
/// two are the same if there is no kernel: in fp32, and in bf16 on processors without AVX512_BF16.

#include <ATen/ATen.h>

#include <cstdint>
#include <utility>

#include "core/error.h"
#include "core/network_config.h"
#include "measure.h"
#include "nn/ops.h"
#include "nn/plain_ops.h"

namespace lazymar::bench {
namespace {

constexpr int64_t kSequences = 2;  ///< one image with guidance

/// Queries and keys: a decoder that computes all rows, and one that computes only changed rows.
constexpr std::pair<int64_t, int64_t> kShapes[] = {{320, 320}, {35, 320}};

constexpr std::pair<const char*, c10::ScalarType> kTypes[] = {{"fp32", c10::kFloat},
                                                              {"bf16", c10::kBFloat16}};

struct Case {
  int64_t dim, heads, queries, keys;
  c10::ScalarType type;
  bool plain;
};

void attention(benchmark::State& state, const Case& c) {
  const at::Tensor q = at::randn({kSequences, c.queries, c.dim}).to(c.type);
  const at::Tensor kv = at::randn({kSequences, c.keys, 2 * c.dim}).to(c.type);
  measure(state, [&] {
    if (!c.plain) {
      return lazymar::attention(q, kv, c.heads);
    }
    count_matmul(kSequences * c.queries, 2 * c.dim, c.keys);  // the twin does not count
    return plain::attention(q, kv, c.heads);
  });
}

void add_cases(const MarConfig& config) {
  const int64_t dim = config.decoder_dim;
  const int64_t heads = config.decoder_heads;
  for (const auto& [queries, keys] : kShapes) {
    for (const auto& [name, type] : kTypes) {
      for (const bool plain : {false, true}) {
        const Case c{dim, heads, queries, keys, type, plain};
        add(concat("heads:", heads, 'x', dim / heads, "/rows:", queries, 'x', keys, '/', name,
                   plain ? "/plain" : "/ops"),
            benchmark::kMicrosecond, [c](benchmark::State& state) { attention(state, c); });
      }
    }
  }
}

}  // namespace
}  // namespace lazymar::bench

int main(int argc, char** argv) {
  using namespace lazymar;
  bench::add_cases(published_config(*find_preset("mar_base")));  // 64 numbers a head
  bench::add_cases(published_config(*find_preset("mar_huge")));  // 80
  return bench::run(argc, argv);
}
