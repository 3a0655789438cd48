// How the library behaves beside a program's own threads, settings and messages.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <lazymar/lazymar.h>

#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include "library/library_support.h"

namespace {

using namespace library_test;

TEST(LibraryHost, ACallbackCannotDrawWithItsModel) {
  Model model = Model::open("demo", demo_options());
  Model other = Model::open("demo", demo_options());
  SampleOptions options = few_steps();
  int64_t calls = 0;
  options.progress = [&](double) {
    ++calls;
    EXPECT_TRUE(contains(refused([&] { model.sample({1}, {}, few_steps()); }), "is drawing"));
    EXPECT_TRUE(contains(refused([&] { model.decode(at::zeros({1, 4, 4, 4})); }), "is drawing"));
    other.sample_latents({1}, {}, few_steps());
    return true;
  };
  const at::Tensor images = model.sample({1}, {}, options);
  EXPECT_GT(calls, 0);
  EXPECT_TRUE(at::equal(images, model.sample({1}, {}, few_steps())));
}

TEST(LibraryHost, WaitingForAnotherThreadCanBeEnded) {
  Model model = Model::open("demo", demo_options());
  std::promise<void> inside;
  std::promise<void> finish;
  SampleOptions slow = few_steps();
  slow.progress = [&, first = true](double) mutable {
    if (first) {
      inside.set_value();
      finish.get_future().wait();
    }
    first = false;
    return true;
  };
  std::thread other([&] { model.sample({1}, {}, slow); });
  inside.get_future().wait();
  SampleOptions waits = few_steps();
  waits.poll = [] { throw std::domain_error("enough"); };
  EXPECT_THROW(model.sample({1}, {}, waits), std::domain_error);
  EXPECT_THROW(model.decode(at::zeros({1, 4, 4, 4}), waits.poll), std::domain_error);
  finish.set_value();
  other.join();
  EXPECT_NO_THROW(model.sample({1}, {}, waits)) << "nobody to wait for";
}

TEST(LibraryHost, OpeningCanBeEnded) {
  ModelOptions options = demo_options();
  int64_t calls = 0;
  options.poll = [&] { ++calls; };
  Model::open("demo", options);
  EXPECT_GE(calls, 3) << "files, MAR, VAE";
  options.poll = [] { throw std::domain_error("enough"); };
  EXPECT_THROW(Model::open("demo", options), std::domain_error);
}

TEST(LibraryHost, SaysOnlyWarningsUntilItIsAskedForMore) {
  const auto said = [] {
    testing::internal::CaptureStderr();
    Model::open("demo", demo_options());
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(said(), "");
  lazymar::set_log_level("info");
  EXPECT_TRUE(contains(said(), "weights: "));
  lazymar::set_log_level("warning");
  EXPECT_EQ(said(), "");
  EXPECT_TRUE(contains(refused([] { lazymar::set_log_level("loud"); }), "use info, warning"));
}

TEST(LibraryHost, CancelsBetweenStepsAndGoesOn) {
  Model model = Model::open("demo", demo_options());
  const at::Tensor undisturbed = model.sample({1}, {}, few_steps());
  SampleOptions options = few_steps();
  options.progress = [](double done) { return done < 0.5; };
  EXPECT_THROW(model.sample({1}, {}, options), lazymar::CancelledError);
  EXPECT_TRUE(at::equal(model.sample({1}, {}, few_steps()), undisturbed));
}

TEST(LibraryHost, TwoModelsAtOnceInTwoThreads) {
  Model one = Model::open("demo", demo_options());
  Model two = Model::open("demo", demo_options());
  const at::Tensor first = one.sample({1}, {}, few_steps());
  const at::Tensor second = two.sample({2}, {}, few_steps());
  at::Tensor again;
  std::thread other([&] { again = two.sample({2}, {}, few_steps()); });
  EXPECT_TRUE(at::equal(one.sample({1}, {}, few_steps()), first));
  other.join();
  EXPECT_TRUE(at::equal(again, second));
}

TEST(LibraryHost, LeavesTheHostsSettingsAlone) {
  at::Context& context = at::globalContext();
  context.setFloat32MatmulPrecision("medium");
  context.setBenchmarkCuDNN(true);
  Model model = Model::open("demo", demo_options());
  const at::Tensor images = model.sample_float({1}, {}, few_steps());
  EXPECT_FALSE(images.requires_grad());
  EXPECT_EQ(context.float32MatmulPrecision(), at::Float32MatmulPrecision::MEDIUM);
  EXPECT_TRUE(context.benchmarkCuDNN());
  EXPECT_TRUE(at::GradMode::is_enabled());
  context.setFloat32MatmulPrecision("highest");
  EXPECT_TRUE(at::equal(model.sample_float({1}, {}, few_steps()), images));
}

/// Draws and, within the batch, waits for what `meanwhile` waits for.
void draw_and(Model& model, const std::function<void()>& meanwhile) {
  SampleOptions options = few_steps();
  bool first = true;
  options.progress = [&](double) {
    if (first) {
      meanwhile();
    }
    first = false;
    return true;
  };
  model.sample({1}, {}, options);
}

TEST(LibraryHost, TheHostsSettingsReturnAfterTheLastOfSeveralThreads) {
  at::Context& context = at::globalContext();
  Model one = Model::open("demo", demo_options());
  Model two = Model::open("demo", demo_options());
  context.setFloat32MatmulPrecision("medium");
  std::promise<void> first_computes;
  std::promise<void> second_computes;
  std::promise<void> first_is_done;
  std::thread first([&] {
    draw_and(one, [&] {
      first_computes.set_value();
      second_computes.get_future().wait();
    });
    first_is_done.set_value();
  });
  std::thread second([&] {
    first_computes.get_future().wait();
    draw_and(two, [&] {
      second_computes.set_value();
      first_is_done.get_future().wait();
      EXPECT_EQ(context.float32MatmulPrecision(), at::Float32MatmulPrecision::HIGHEST)
          << "the second thread still computes";
    });
  });
  first.join();
  second.join();
  EXPECT_EQ(context.float32MatmulPrecision(), at::Float32MatmulPrecision::MEDIUM);
  context.setFloat32MatmulPrecision("highest");
}

}  // namespace
