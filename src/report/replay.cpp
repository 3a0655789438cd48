#include "report/replay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "report/numbers.h"
#include "report/predictors.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

/// Vectors of one feature of one token, diffusion step by diffusion step.
struct Series {
  std::vector<float> values;
  int64_t width = 0;

  int64_t steps() const { return static_cast<int64_t>(values.size()) / width; }
  std::span<const float> at(int64_t step) const {
    return std::span(values).subspan(static_cast<size_t>(step * width), static_cast<size_t>(width));
  }
};

/// Sums of relative errors by predictor and horizon.
class Errors {
 public:
  Errors(const std::vector<std::string>& names, int64_t interval)
      : interval_(interval), sums_(names.size()), counts_(static_cast<size_t>(interval - 1)) {
    for (size_t i = 0; i < names.size(); ++i) {
      sums_[i].resize(counts_.size());
      const Predictor& predictor = predictors().at(names[i]);
      for (int64_t x = 1; x < interval; ++x) {
        weights_.push_back(
            predictor.weights(static_cast<double>(x), static_cast<double>(interval)));
      }
    }
  }

  void add(const Series& series) {
    for (int64_t last = 2 * interval_; last + 1 < series.steps(); ++last) {
      for (int64_t x = 1; x < interval_ && last + x < series.steps(); ++x) {
        add_target(series, last, x);
      }
    }
  }

  /// Means by horizon; NaN without a target.
  std::vector<double> means(size_t predictor) const {
    std::vector<double> result;
    for (size_t i = 0; i < counts_.size(); ++i) {
      result.push_back(sums_[predictor][i] / counts_[i]);
    }
    return result;
  }

 private:
  void add_target(const Series& series, int64_t last, int64_t x) {
    const std::span<const float> target = series.at(last + x);
    const std::array<std::span<const float>, 3> kept{series.at(last), series.at(last - interval_),
                                                     series.at(last - 2 * interval_)};
    double norm = 0;
    for (const float value : target) {
      norm += static_cast<double>(value) * static_cast<double>(value);
    }
    const auto horizon = static_cast<size_t>(x - 1);
    for (size_t predictor = 0; predictor < sums_.size(); ++predictor) {
      const PredictorWeights& w = weights_[predictor * counts_.size() + horizon];
      double error = 0;
      for (size_t i = 0; i < target.size(); ++i) {
        const double off = w[0] * static_cast<double>(kept[0][i]) +
                           w[1] * static_cast<double>(kept[1][i]) +
                           w[2] * static_cast<double>(kept[2][i]) - static_cast<double>(target[i]);
        error += off * off;
      }
      // For a feature that is zero, the tiny number keeps 0 / 0 at 0.
      sums_[predictor][horizon] += std::sqrt(error) / std::max(std::sqrt(norm), 1e-30);
    }
    counts_[horizon] += 1;
  }

  int64_t interval_;
  std::vector<PredictorWeights> weights_;  ///< by predictor, then horizon
  std::vector<std::vector<double>> sums_;
  std::vector<double> counts_;
};

/// Evaluations [from, from + steps) of the values of `width` numbers that begin at `first`.
Series series_of(const RecordedValues& values, int64_t from, int64_t steps, int64_t first,
                 int64_t width) {
  Series series;
  series.width = width;
  series.values.resize(static_cast<size_t>(steps * width));
  for (int64_t step = 0; step < steps; ++step) {
    values.read(from + step, first,
                std::span(series.values)
                    .subspan(static_cast<size_t>(step * width), static_cast<size_t>(width)));
  }
  return series;
}

void add_token(const ImageHeadRecording& image, int64_t from, int64_t steps, Errors& mlp,
               Errors& eps) {
  const int64_t blocks = image.mlp.shape()[1];
  const int64_t width = image.mlp.shape()[2];
  for (int64_t block = 0; block < blocks; ++block) {
    mlp.add(series_of(image.mlp, from, steps, block * width, width));
  }
  eps.add(series_of(image.eps, from, steps, 0, image.eps.shape()[1]));
}

std::string row_text(const char* feature, const std::string& predictor,
                     const std::vector<double>& errors) {
  std::string row = concat("| ", feature, " | ", predictor, " |");
  for (const double error : errors) {
    row += std::isnan(error) ? " - |" : concat(" ", number_text(100 * error, 1), " % |");
  }
  return row + "\n";
}

}  // namespace

Replay replay(std::span<const ImageHeadRecording> images, const std::vector<std::string>& names,
              int64_t interval) {
  Errors mlp(names, interval);
  Errors eps(names, interval);
  Replay result{interval, static_cast<int64_t>(images.size()), 0, 0, {}};
  for (const ImageHeadRecording& image : images) {
    int64_t from = 0;
    for (const std::vector<int64_t>& timesteps : image.header.timesteps) {
      const auto steps = static_cast<int64_t>(timesteps.size());
      ++result.tokens;
      if (steps > 2 * interval + 1) {
        add_token(image, from, steps, mlp, eps);
      } else {
        ++result.left_out;
      }
      from += steps;
    }
  }
  if (result.left_out == result.tokens) {
    throw usage_error("--replay_interval ", interval, ": needs more than ", 2 * interval + 1,
                      " diffusion steps, and no recorded token has so many; use a smaller one");
  }
  for (size_t i = 0; i < names.size(); ++i) {
    result.errors.push_back({names[i], mlp.means(i), eps.means(i)});
  }
  return result;
}

std::string replay_about(const Replay& replay) {
  const int64_t tokens = replay.tokens - replay.left_out;
  return concat(
      "Mean relative error by diffusion steps since the last evaluation, with one in ",
      replay.interval, " evaluated: ", replay.images, replay.images == 1 ? " image, " : " images, ",
      tokens, tokens == 1 ? " token" : " tokens",
      replay.left_out > 0 ? concat("; ", replay.left_out, " more have too few diffusion steps")
                          : "",
      ".");
}

std::string replay_text(const Replay& replay) {
  std::string text = replay_about(replay) + "\n\n| feature | predictor |";
  std::string line = "|---|---|";
  for (int64_t x = 1; x < replay.interval; ++x) {
    text += concat(" ", x, " |");
    line += "---:|";
  }
  text += "\n" + line + "\n";
  for (const PredictorErrors& of : replay.errors) {
    text += row_text("mlp", of.predictor, of.mlp);
  }
  for (const PredictorErrors& of : replay.errors) {
    text += row_text("eps", of.predictor, of.eps);
  }
  return text;
}

ordered_json replay_json(const Replay& replay) {
  ordered_json errors = ordered_json::object();
  for (const PredictorErrors& of : replay.errors) {
    errors[of.predictor] = {{"mlp", of.mlp}, {"eps", of.eps}};
  }
  return {{"interval", replay.interval},
          {"images", replay.images},
          {"tokens", replay.tokens},
          {"left_out", replay.left_out},
          {"errors", errors}};
}

}  // namespace lazymar
