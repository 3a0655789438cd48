#include "bench/count.h"

#include <nlohmann/json.hpp>
#include <string>

#include "bench/models.h"
#include "bench/table_files.h"
#include "core/text.h"
#include "flops/cost_table.h"
#include "pipeline/model_files.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

/// All arms on one model.
struct ModelCosts {
  std::string model, source;
  std::vector<CostRow> rows;
};

ModelCosts costs_of(const BenchOptions& options, const std::string& model) {
  ModelRequest request = options.model;
  request.model = model;
  const NetworkShape shape = open_listed([&] { return read_shape(request); });
  ModelCosts costs{model, shape.source, {}};
  for (const BenchArm& arm : options.arms) {
    costs.rows.push_back(
        cost_row(shape.mar, shape.vae, resolve_method(arm.method, shape.recommended),
                 resolve_baseline(arm.method, shape.recommended), arm.method.precision));
    costs.rows.back().name = arm.name;
  }
  return costs;
}

ordered_json json_of(const ModelCosts& costs) {
  ordered_json rows = ordered_json::array();
  for (const CostRow& row : costs.rows) {
    rows.push_back({{"arm", row.name},
                    {"flops_per_image",
                     {{"encoder", row.flops.encoder},
                      {"decoder", row.flops.decoder},
                      {"head", row.flops.head()},
                      {"vae", row.flops.vae},
                      {"total", row.flops.total()}}},
                    {"baseline_flops_per_image", row.baseline.total()},
                    {"cache_bytes_per_image", row.cache_bytes}});
  }
  return {{"model", costs.model}, {"source", costs.source}, {"rows", rows}};
}

}  // namespace

ExitCode count_flops(const BenchOptions& options) {
  std::string text;
  ordered_json models = ordered_json::array();
  for (const std::string& model : options.models) {
    const ModelCosts costs = costs_of(options, model);
    text += concat(text.empty() ? "" : "\n", model, " (", costs.source, ")\n\n",
                   cost_table(costs.rows));
    models.push_back(json_of(costs));
  }
  publish(options, text, ordered_json{{"models", models}}.dump(2));
  return ExitCode::kDone;
}

}  // namespace lazymar
