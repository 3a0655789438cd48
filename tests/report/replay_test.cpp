#include "report/replay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "report/predictors.h"
#include "support/errors.h"
#include "support/head_folder.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::head_header;
using testing::head_tensors;
using testing::InventedFeature;
using testing::refused;
using testing::TemporaryFolder;

/// What a predictor makes of f at the steps 0, -N and -2 N.
template <typename F>
double predicted(std::string_view name, F f, double x, double interval) {
  const PredictorWeights w = predictors().at(name).weights(x, interval);
  return w[0] * f(0.) + w[1] * f(-interval) + w[2] * f(-2 * interval);
}

double line(double t) {
  return 3 + 2 * t;
}

double parabola(double t) {
  return 5 - t + 0.25 * t * t;
}

TEST(Predictors, HoldIsTheLastEvaluation) {
  for (const double x : {1., 2., 5.}) {
    EXPECT_EQ(predicted("hold", line, x, 6), line(0));
  }
}

TEST(Predictors, TaylorOfOrder1FollowsALine) {
  for (const double x : {1., 2., 5.}) {
    EXPECT_NEAR(predicted("taylor1", line, x, 6), line(x), 1e-12);
    EXPECT_NEAR(predicted("taylor2", line, x, 6), line(x), 1e-12);
    EXPECT_GT(std::abs(predicted("taylor1", parabola, x, 6) - parabola(x)), 0.1) << "control";
  }
}

/// As published, order 2 lacks D_2 x N / 2 on a parabola, whose D_2 is twice its factor of t^2.
TEST(Predictors, OrderTwoOnAParabola) {
  for (const double x : {1., 2., 5.}) {
    EXPECT_NEAR(predicted("newton2", parabola, x, 6), parabola(x), 1e-12);
    EXPECT_NEAR(predicted("taylor2", parabola, x, 6), parabola(x) - 0.5 * x * 6 / 2, 1e-12);
    const auto cubic = [](double t) { return t * t * t; };
    EXPECT_GT(std::abs(predicted("newton2", cubic, x, 6) - cubic(x)), 1) << "control";
  }
}

/// F_0 + D_1 s H_1(s x) + D_2 s^2 H_2(s x) / 2 with s = 0.5, term by term.
TEST(Predictors, HermiteIsItsDefinition) {
  constexpr double kN = 4;
  const double f0 = 7, f1 = 3, f2 = -2;
  const auto f = [&](double t) { return t == 0 ? f0 : t == -kN ? f1 : f2; };
  const double d1 = (f0 - f1) / kN;
  const double d2 = (d1 - (f1 - f2) / kN) / kN;
  for (const double x : {1., 2., 3.}) {
    const double h1 = std::hermite(1U, 0.5 * x);
    const double h2 = std::hermite(2U, 0.5 * x);
    EXPECT_NEAR(predicted("hermite", f, x, kN), f0 + d1 * 0.5 * h1 + d2 * 0.25 * h2 / 2, 1e-12);
  }
  // Half a line's slope, as 2 s^2 = 1/2.
  EXPECT_NEAR(predicted("hermite", line, 3, kN), line(1.5), 1e-12);
}

TEST(Predictors, UnknownOnesAreRefused) {
  refused([] { predictors().at("tailor"); });
}

std::vector<ImageHeadRecording> recordings(const TemporaryFolder& folder,
                                           const std::vector<int64_t>& steps,
                                           const InventedFeature& mlp, const InventedFeature& eps) {
  const HeadRecordingHeader header = head_header(steps);
  write_head_recording(folder.path(), header, head_tensors(header, mlp, eps));
  return read_head_recordings(folder.path());
}

double constant(int64_t, int64_t, int64_t) {
  return 1;
}

TEST(Replay, ErrorsAreMeansOfRelativeErrors) {
  const TemporaryFolder folder;
  // MLP outputs double or triple at each step; eps rises by 1 in both channels.
  const auto images = recordings(
      folder, {12, 12},
      [](int64_t token, int64_t step, int64_t) {
        return std::pow(2. + static_cast<double>(token), step);
      },
      [](int64_t, int64_t step, int64_t) { return static_cast<double>(step); });
  const Replay found = replay(images, {"hold", "taylor1"}, 3);
  EXPECT_EQ(found.tokens, 2);
  EXPECT_EQ(found.left_out, 0);
  const PredictorErrors& hold = found.errors[0];
  EXPECT_EQ(hold.predictor, "hold");
  ASSERT_EQ(hold.mlp.size(), 2U);
  EXPECT_NEAR(hold.mlp[0], ((1 - 1 / 2.) + (1 - 1 / 3.)) / 2, 1e-6);
  EXPECT_NEAR(hold.mlp[1], ((1 - 1 / 4.) + (1 - 1 / 9.)) / 2, 1e-6);
  // The last evaluations are 6 to 10, so the targets one step later are 7 to 11.
  EXPECT_NEAR(hold.eps[0], (1 / 7. + 1 / 8. + 1 / 9. + 1 / 10. + 1 / 11.) / 5, 1e-6);
  EXPECT_NEAR(hold.eps[1], 2 * (1 / 8. + 1 / 9. + 1 / 10. + 1 / 11.) / 4, 1e-6);
  EXPECT_NEAR(found.errors[1].eps[0], 0, 1e-6) << "a line";
  EXPECT_GT(found.errors[1].mlp[0], 0.1) << "control: no line";
}

TEST(Replay, EveryPredictorHasTheSameTargets) {
  const TemporaryFolder folder;
  // Before step 6 nothing can be predicted by order 2, so hold's large errors there do not count.
  const auto images = recordings(folder, {12}, constant, [](int64_t, int64_t step, int64_t) {
    return step < 6 ? std::pow(-10., step) : 1.;
  });
  EXPECT_EQ(replay(images, {"hold"}, 3).errors[0].eps[0], 0);
  EXPECT_GT(replay(images, {"taylor1"}, 3).errors[0].eps[0], 1) << "control";
}

TEST(Replay, TokensWithTooFewStepsAreLeftOut) {
  const TemporaryFolder folder;
  const auto rising = [](int64_t token, int64_t step, int64_t) {
    return token == 1 ? 1e6 * static_cast<double>(step % 2 + 1) : 1. + static_cast<double>(step);
  };
  const auto images = recordings(folder, {12, 7}, rising, rising);
  const Replay found = replay(images, {"taylor1"}, 3);
  EXPECT_EQ(found.left_out, 1);
  EXPECT_NEAR(found.errors[0].eps[0], 0, 1e-6);
  EXPECT_TRUE(contains(replay_text(found), "1 token; 1 more have too few diffusion steps."));
  EXPECT_GT(replay(images, {"taylor1"}, 2).errors[0].eps[0], 0.01) << "control: both tokens";
  EXPECT_TRUE(contains(refused([&] { replay(images, {"hold"}, 6); }), "more than 13"));
}

TEST(Replay, FeaturesThatAreZeroHaveNoError) {
  const TemporaryFolder folder;
  const auto zero = [](auto...) { return 0.; };
  EXPECT_EQ(replay(recordings(folder, {9}, zero, zero), {"hermite"}, 2).errors[0].mlp[0], 0);
}

TEST(Replay, TextAndJson) {
  const TemporaryFolder folder;
  const auto images = recordings(folder, {8}, constant,
                                 [](int64_t, int64_t step, int64_t) { return std::pow(2., step); });
  const Replay found = replay(images, {"hold", "hermite"}, 3);
  const std::string text = replay_text(found);
  EXPECT_TRUE(
      contains(text, "one in 3 evaluated: 1 image, 1 token.\n\n| feature | predictor | 1 | 2 |"));
  EXPECT_TRUE(contains(text, "| mlp | hold | 0.0 % | - |"));
  EXPECT_TRUE(contains(text, "| eps | hold | 50.0 % | - |"));
  const nlohmann::ordered_json json = replay_json(found);
  EXPECT_EQ(json["interval"], 3);
  EXPECT_EQ(json["errors"]["hold"]["eps"][0], 0.5);
  EXPECT_TRUE(json["errors"].contains("hermite"));
}

}  // namespace
}  // namespace lazymar
