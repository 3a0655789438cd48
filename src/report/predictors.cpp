#include "report/predictors.h"

namespace lazymar {
namespace {

/// F_0 + first D_1 + second D_2.
PredictorWeights of_differences(double first, double second, double interval) {
  const double one = first / interval;
  const double two = second / (interval * interval);
  return {1 + one + two, -one - 2 * two, two};
}

PredictorWeights hold(double, double interval) {
  return of_differences(0, 0, interval);
}

PredictorWeights taylor1(double x, double interval) {
  return of_differences(x, 0, interval);
}

PredictorWeights taylor2(double x, double interval) {
  return of_differences(x, x * x / 2, interval);
}

PredictorWeights newton2(double x, double interval) {
  return of_differences(x, x * (x + interval) / 2, interval);
}

PredictorWeights hermite(double x, double interval) {
  constexpr double kScale = 0.5;
  const double y = kScale * x;
  return of_differences(kScale * 2 * y, kScale * kScale * (4 * y * y - 2) / 2, interval);
}

}  // namespace

Table<Predictor>& predictors() {
  static Table<Predictor> table("predictor", {{"hold", hold},
                                              {"taylor1", taylor1},
                                              {"taylor2", taylor2},
                                              {"newton2", newton2},
                                              {"hermite", hermite}});
  return table;
}

}  // namespace lazymar
