// Uses the public header alone, and the shared library that a user gets.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <lazymar/lazymar.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

using lazymar::Model;
using lazymar::ModelOptions;
using lazymar::SampleOptions;

ModelOptions demo_options() {
  ModelOptions options;
  options.device = "cpu";
  options.precision = "fp32";
  options.threads = 1;
  options.checkpoint_dir = std::string(LAZYMAR_SOURCE_DIR) + "/pretrained_models";
  return options;
}

SampleOptions few_steps() {
  SampleOptions options;
  options.options = {{"num_iter", "4"}, {"num_sampling_steps", "10"}};
  return options;
}

template <typename Body>
std::string refused(const Body& body) {
  try {
    body();
  } catch (const lazymar::RefusedError& error) {
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Library, DrawsImagesThatDependOnSeedIdAndLabelAlone) {
  Model model = Model::open("demo", demo_options());
  const at::Tensor both = model.sample({1, 7}, {3, 8}, few_steps());
  EXPECT_EQ(both.sizes(), at::IntArrayRef({2, 3, 64, 64}));
  EXPECT_EQ(both.scalar_type(), at::kByte);
  const at::Tensor swapped = model.sample({7, 1}, {8, 3}, few_steps());
  EXPECT_TRUE(at::equal(both[0], swapped[1]));
  EXPECT_FALSE(at::equal(model.sample({1, 7}, {4, 8}, few_steps())[0], both[0]));
  SampleOptions seeded = few_steps();
  seeded.seed = 2;
  EXPECT_FALSE(at::equal(model.sample({1, 7}, {3, 8}, seeded), both));
  EXPECT_TRUE(at::equal(model.sample({1, 7}, {3, 8}, few_steps()), both)) << "the seed is back";
}

TEST(Library, LatentsAndFloatsAreThoseOfTheImages) {
  Model model = Model::open("demo", demo_options());
  const lazymar::ModelInfo info = model.info();
  const at::Tensor latents = model.sample_latents({1, 7}, {}, few_steps());
  EXPECT_EQ(latents.sizes(),
            at::IntArrayRef({2, info.latent_channels, info.latent_size, info.latent_size}));
  const at::Tensor floats = model.sample_float({1, 7}, {}, few_steps());
  EXPECT_TRUE(at::equal(model.decode(latents), floats));
  const at::Tensor bytes = model.sample({1, 7}, {}, few_steps());
  const at::Tensor expected = (floats.clamp(-1, 1) * 127.5 + 127.5).round();
  EXPECT_LE((expected - bytes).abs().max().item<double>(), 1.0);
}

TEST(Library, MethodsAndOptionsAreThoseOfTheCommandLine) {
  Model model = Model::open("demo", demo_options());
  SampleOptions lazy = few_steps();
  lazy.method = "lazymar";
  lazy.options["num_iter"] = "16";
  SampleOptions switched = few_steps();
  switched.options["num_iter"] = "16";
  switched.options["lazy_mar"] = "";
  const at::Tensor images = model.sample({1}, {}, lazy);
  EXPECT_TRUE(at::equal(images, model.sample({1}, {}, switched)));
  switched.options.erase("lazy_mar");
  EXPECT_FALSE(at::equal(images, model.sample({1}, {}, switched)));

  const auto with = [&](const std::string& name, const std::string& text) {
    SampleOptions options = few_steps();
    options.options[name] = text;
    return refused([&] { model.sample({1}, {}, options); });
  };
  EXPECT_TRUE(contains(with("num_iter", "0"), "--num_iter 0: must be a whole number from 1"));
  EXPECT_TRUE(contains(with("num_itr", "3"), "--num_itr: not a sampling option; did you mean"));
  EXPECT_TRUE(contains(with("lazy_extra", "3"), "has no effect without --lazy_mar"));
}

TEST(Library, RefusesWhatTheModelDoesNotHave) {
  Model model = Model::open("demo", demo_options());
  EXPECT_TRUE(contains(refused([&] { model.sample({10}); }), "the model has classes 0 to 9"));
  EXPECT_TRUE(contains(refused([&] { model.sample({1}, {1, 2}); }), "2 image ids and 1 labels"));
  EXPECT_TRUE(contains(refused([&] { model.sample({}); }), "at least one image"));
  EXPECT_TRUE(contains(refused([&] { model.sample({1}, {-1}); }), "image id -1"));
  EXPECT_TRUE(contains(refused([&] { model.decode(at::zeros({1, 7, 4, 4})); }), "[B, 4, h, w]"));
  EXPECT_TRUE(contains(refused([] { Model::open("no_such_model", demo_options()); }),
                       "--model no_such_model"));
  ModelOptions options = demo_options();
  options.device = "cuda:77";
  EXPECT_TRUE(contains(refused([&] { Model::open("demo", options); }), "--device cuda:77"));
}

TEST(Library, CancelsBetweenStepsAndGoesOn) {
  Model model = Model::open("demo", demo_options());
  const at::Tensor undisturbed = model.sample({1}, {}, few_steps());
  SampleOptions options = few_steps();
  options.progress = [](double done) { return done < 0.5; };
  EXPECT_THROW(model.sample({1}, {}, options), lazymar::CancelledError);
  EXPECT_TRUE(at::equal(model.sample({1}, {}, few_steps()), undisturbed));
}

TEST(Library, TwoModelsAtOnceInTwoThreads) {
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

TEST(Library, LeavesTheHostsSettingsAlone) {
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

TEST(Library, SmallBatchesInALoopDoNotGrow) {
  Model model = Model::open("demo", demo_options());
  SampleOptions options;
  options.options = {{"num_iter", "2"}, {"num_sampling_steps", "2"}};
  const auto resident = [] {
    long pages = 0;
    long rest = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    EXPECT_EQ(std::fscanf(file, "%ld %ld", &rest, &pages), 2);
    std::fclose(file);
    return pages * 4096.0 / (1 << 20);
  };
  double after_warm_up = 0;
  for (int64_t i = 0; i < 200; ++i) {
    if (i == 50) {
      after_warm_up = resident();
    }
    options.seed = static_cast<uint64_t>(i);
    model.sample({i % 10}, {i}, options);
  }
  EXPECT_LT(resident() - after_warm_up, 16.0) << "MiB in 150 batches";
}

TEST(Library, TheVersionIsThatOfSemanticVersioning) {
  const std::string version = lazymar::version();
  EXPECT_EQ(std::count(version.begin(), version.end(), '.'), 2) << version;
}

}  // namespace
