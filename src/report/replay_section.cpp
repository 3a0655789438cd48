#include <cmath>

#include "report/html.h"
#include "report/sections.h"

namespace lazymar {
namespace {

std::string errors_row(const std::string& feature, const std::string& predictor,
                       const std::vector<double>& errors) {
  std::vector<std::string> values{feature, predictor};
  for (const double error : errors) {
    values.push_back(std::isnan(error) ? "-" : percent(error));
  }
  return cells("td", values);
}

}  // namespace

std::string replay_section(const Comparison& comparison) {
  if (!comparison.replay) {
    return "";
  }
  const Replay& replay = *comparison.replay;
  std::vector<std::string> titles{"Feature", "Predictor"};
  for (int64_t x = 1; x < replay.interval; ++x) {
    titles.push_back(std::to_string(x));
  }
  std::string rows = cells("th", titles);
  for (const PredictorErrors& of : replay.errors) {
    rows += errors_row("MLP outputs", of.predictor, of.mlp);
  }
  for (const PredictorErrors& of : replay.errors) {
    rows += errors_row("guided eps", of.predictor, of.eps);
  }
  return section("replay", "Predictors of the diffusion head",
                 "<div class=\"scroll\"><table>" + rows + "</table></div><p class=\"faint\">" +
                     escape_html(replay_about(replay)) + "</p>");
}

}  // namespace lazymar
