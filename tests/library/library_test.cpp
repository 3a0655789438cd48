// Uses the public header alone, and the shared library that a user gets.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <lazymar/lazymar.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "library/library_support.h"

namespace {

using namespace library_test;

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

TEST(Library, DecodesOnlyLatents) {
  Model model = Model::open("demo", demo_options());
  const auto said = [&](const at::Tensor& latents) {
    return refused([&] { model.decode(latents); });
  };
  EXPECT_TRUE(contains(said(at::zeros({1, 7, 4, 4})), "latents [1, 7, 4, 4]: they must be"));
  EXPECT_TRUE(contains(said(at::zeros({4, 16, 16})), "[4, 16, 16]"));
  EXPECT_TRUE(contains(said(at::zeros({1, 4, 0, 16})), "[1, 4, 0, 16]"));
  EXPECT_TRUE(contains(said(at::zeros({1, 4, 16, 0})), "[1, 4, 16, 0]"));
  EXPECT_TRUE(contains(said(at::zeros({1, 4, 16, 16}, at::kLong)), "of Long"));
  EXPECT_TRUE(contains(said(at::zeros({1, 4, 16, 16}, at::kComplexFloat)), "ComplexFloat"));
  EXPECT_TRUE(contains(said(at::zeros({1, 4, 16, 16}).to_sparse()), "Sparse"));
  EXPECT_TRUE(contains(said(at::zeros({1, 4, 16, 16}, at::kMeta)), "meta"));
  EXPECT_TRUE(contains(said(at::Tensor()), "undefined"));
  const at::Tensor none = model.decode(at::zeros({0, 4, 3, 5}));
  const at::Tensor one = model.decode(at::zeros({1, 4, 3, 5}, at::kDouble));
  EXPECT_EQ(none.sizes(), at::IntArrayRef({0, 3, one.size(2), one.size(3)}));
  EXPECT_EQ(none.scalar_type(), one.scalar_type());
}

TEST(Library, ModelOptionsAreCheckedAsOnTheCommandLine) {
  const auto said = [](const auto& change) {
    ModelOptions options = demo_options();
    change(options);
    return refused([&] { Model::open("demo", options); });
  };
  EXPECT_TRUE(contains(said([](ModelOptions& o) { o.threads = 0; }),
                       "--threads 0: must be a whole number from 1 to 4096"));
  EXPECT_TRUE(contains(said([](ModelOptions& o) { o.threads = 4097; }), "--threads 4097: "));
  EXPECT_TRUE(contains(said([](ModelOptions& o) { o.precision = "int4"; }),
                       "--precision int4: did you mean int8? use auto, bf16"));
  EXPECT_TRUE(contains(said([](ModelOptions& o) { o.vae_path = ""; }), "--vae_path"));
}

TEST(Library, TensorsThatAreNoWeightsAreNamed) {
  const auto said = [](const at::Tensor& tensor) {
    return refused([&] {
      Model::from_tensors({{"z_proj.weight", tensor}}, "demo", demo_options());
    });
  };
  const at::Tensor usable = at::zeros({4, 4});
  EXPECT_TRUE(contains(said(usable.to(at::kInt)), "tensor of Int"));
  EXPECT_TRUE(contains(said(usable.to_sparse()), "sparse"));
  EXPECT_TRUE(contains(said(usable.to(at::kMeta)), "device meta"));
  EXPECT_TRUE(contains(said({}), "undefined"));
  EXPECT_FALSE(contains(said(usable), "z_proj.weight"));
  EXPECT_TRUE(contains(said(usable), "is this the right network?"));
}

TEST(Library, SwitchesTakeNoValue) {
  Model model = Model::open("demo", demo_options());
  SampleOptions options = few_steps();
  options.options["lazy_mar"] = "no";
  EXPECT_TRUE(contains(refused([&] { model.sample({1}, {}, options); }),
                       "--lazy_mar is a switch and takes no value"));
  EXPECT_EQ(lazymar::sampling_options().at("lazy_mar"), "");
  EXPECT_NE(lazymar::sampling_options().at("num_iter"), "");
}

TEST(Library, SmallBatchesInALoopDoNotGrow) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "SKIPPED: AddressSanitizer keeps freed memory for a while";
#endif
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
