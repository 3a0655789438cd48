#include "flops/cost_table.h"

#include <cstdio>

namespace lazymar {
namespace {

std::string tera(int64_t flops) {
  char text[32];
  std::snprintf(text, sizeof text, " %.3f |", static_cast<double>(flops) * 1e-12);
  return text;
}

}  // namespace

std::string cost_table(const std::vector<CostRow>& rows) {
  std::string text =
      "| method | encoder | decoder | head | VAE | TFLOP per image | times fewer than MAR | MB of "
      "caches per image |\n"
      "|---|---:|---:|---:|---:|---:|---:|---:|\n";
  for (const CostRow& row : rows) {
    char rest[64];
    std::snprintf(
        rest, sizeof rest, " %.2f | %.1f |\n",
        static_cast<double>(row.baseline.total()) / static_cast<double>(row.flops.total()),
        static_cast<double>(row.cache_bytes) * 1e-6);
    text += "| " + row.name + " |" + tera(row.flops.encoder) + tera(row.flops.decoder) +
            tera(row.flops.head()) + tera(row.flops.vae) + tera(row.flops.total()) + rest;
  }
  return text;
}

namespace {

/// Bytes of a number.
int64_t size_of(NumberType type) {
  switch (type) {
    case NumberType::kFp64:
      return 8;
    case NumberType::kFp32:
      return 4;
    case NumberType::kBf16:
    case NumberType::kFp16:
      return 2;
  }
  return 0;
}

/// Of what a product in this format yields: formats are named after its type, but int8 yields bf16.
int64_t size_of_product(std::string_view format) {
  return format == "fp64" ? 8 : format == "fp32" ? 4 : 2;
}

}  // namespace

CostRow cost_row(const MarConfig& mar, const VaeConfig& vae, const DecodingMethod& method,
                 const DecodingMethod& baseline, Precision precision) {
  return {method.name, flops_per_image(mar, vae, method), flops_per_image(mar, vae, baseline),
          cache_bytes_per_image(mar, make_plan(mar, method), precision)};
}

int64_t cache_bytes_per_image(const MarConfig& mar, const DecodingPlan& plan, Precision precision) {
  const PrecisionPreset& numbers = precision.is_auto() ? *parse_precision("bf16") : *precision;
  const KeptNumbers kept = policy_of(plan).kept(mar, plan);
  return kept.products * size_of_product(numbers.formats.of(LayerRole::kQkv)) +
         kept.activations * size_of(numbers.activations);
}

FlopCount flops_per_image(const MarConfig& mar, const VaeConfig& vae,
                          const DecodingMethod& method) {
  return FlopFormula({mar, vae, make_plan(mar, method)}).batch(1);
}

}  // namespace lazymar
