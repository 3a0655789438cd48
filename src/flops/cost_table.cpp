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
      "| method | encoder | decoder | head | VAE | TFLOP per image | times fewer than MAR |\n"
      "|---|---:|---:|---:|---:|---:|---:|\n";
  for (const CostRow& row : rows) {
    char ratio[32];
    std::snprintf(
        ratio, sizeof ratio, " %.2f |\n",
        static_cast<double>(row.baseline.total()) / static_cast<double>(row.flops.total()));
    text += "| " + row.name + " |" + tera(row.flops.encoder) + tera(row.flops.decoder) +
            tera(row.flops.head()) + tera(row.flops.vae) + tera(row.flops.total()) + ratio;
  }
  return text;
}

FlopCount flops_per_image(const MarConfig& mar, const VaeConfig& vae,
                          const DecodingMethod& method) {
  return FlopFormula({mar, vae, make_plan(mar, method)}).batch(1);
}

}  // namespace lazymar
