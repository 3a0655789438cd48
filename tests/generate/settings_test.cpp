#include "generate/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "pipeline/device.h"
#include "support/errors.h"

namespace lazymar {
namespace {

EvalOptions usual() {
  EvalOptions options;
  options.eval_bsz = 8;
  options.cfg = options.sampling.cfg;
  options.cfg_schedule = options.sampling.cfg_schedule;
  options.precision = parse_precision("fp32");
  return options;
}

TEST(SettingsName, DefaultsAreNotNamed) {
  EvalOptions options = usual();
  EXPECT_EQ(settings_name(options, usual()), "iter64_baseline");
  options.lazy.emplace();
  EXPECT_EQ(settings_name(options, usual()), "iter64_lazy");
}

TEST(SettingsName, EverySettingThatDiffersIsNamed) {
  std::set<std::string> names;
  const auto add = [&](auto change) {
    EvalOptions options = usual();
    options.lazy.emplace();
    change(options);
    names.insert(settings_name(options, usual()));
  };
  using O = EvalOptions;
  add([](O&) {});
  add([](O& o) { o.lazy.reset(); });
  add([](O& o) { o.sampling.num_iter = 32; });
  add([](O& o) { o.cfg = 2; });
  add([](O& o) { o.cfg_schedule = CfgSchedule::kConstant; });
  add([](O& o) { o.sampling.num_sampling_steps = 50; });
  add([](O& o) { o.sampling.temperature = 0.9; });
  add([](O& o) { o.eval_bsz = 16; });
  add([](O& o) { o.auto_batch = true; });
  add([](O& o) { o.num_images = 64; });
  add([](O& o) { o.classes = {1, 2}; });
  add([](O& o) { o.classes = {12}; });
  add([](O& o) { o.model.seed = 7; });
  add([](O& o) { o.precision = parse_precision("fp64"); });
  add([](O& o) { o.model.random_weights = true; });
  add([](O& o) { o.model.resume = "a/b"; });
  add([](O& o) { o.model.vae_path = "a/b"; });
  add([](O& o) { o.few_files = true; });
  add([](O& o) { o.lazy->token = false; });
  add([](O& o) { o.lazy->condition = false; });
  add([](O& o) { o.lazy->head = false; });
  add([](O& o) { o.lazy->warmup = 1; });
  add([](O& o) { o.lazy->refresh = 1; });
  add([](O& o) { o.lazy->prune_layer = 1; });
  add([](O& o) { o.lazy->extra = 1; });
  add([](O& o) { o.lazy->head_refresh = 1; });
  add([](O& o) { o.lazy->retain = RetainKind::kPublished; });
  add([](O& o) { o.lazy->condition_scale = 0; });
  add([](O& o) { o.lazy->by_progress = true; });
  add([](O& o) { o.lazy->at_stages = false; });
  add([](O& o) { o.plan.order = "raster"; });
  add([](O& o) { o.plan.tokens_per_step = "arccos:64"; });
  add([](O& o) { o.plan.head_steps = "50:20"; });
  add([](O& o) { o.plan.solver = "ddim"; });
  add([](O& o) { o.plan.last_timestep = 950; });
  add([](O& o) { o.plan.spacing = "even"; });
  add([](O& o) { o.plan.detail = "0.1:50"; });
  EXPECT_EQ(names.size(), 37U);
}

TEST(SettingsName, KeepsTheOrderOfEarlierVersions) {
  EvalOptions options = usual();
  options.lazy.emplace().head = false;
  options.lazy->extra = 3;
  options.lazy->condition_scale = 0.5;
  options.sampling.num_iter = 32;
  options.sampling.num_sampling_steps = 50;
  options.sampling.temperature = 0.9;
  options.cfg = 2;
  options.cfg_schedule = CfgSchedule::kConstant;
  options.num_images = 4;
  options.classes = {1, 2};
  options.model.seed = 7;
  options.model.random_weights = true;
  options.model.resume = "a/b";
  options.model.vae_path = "c_d";
  options.eval_bsz = 2;
  options.precision = parse_precision("fp64");
  options.few_files = true;
  options.metadata = false;
  EXPECT_EQ(settings_name(options, usual()),
            "iter32_lazy_caches-tc_extra3_condscale0.5_cfg2_constant_steps50_temp0.9_n4_"
            "classes1-2_seed7_bsz2_fp64_tar_plain_random_resume-a-b_vae-c-d");
}

TEST(SettingsName, AMethodStandsForItsOptions) {
  const auto named = [] {
    EvalOptions options = usual();
    row_named(eval_rows(), "method").field.read(options, "gtr-32");
    return options;
  };
  EvalOptions options = named();
  EXPECT_EQ(settings_name(options, named()), "iter32_gtr-32");
  options.plan.detail = "0.2:50";
  options.plan.order = "halton:rolled";
  EXPECT_EQ(settings_name(options, named()), "iter32_gtr-32_order-halton-rolled_detail-0.2-50");
  EXPECT_EQ(settings_json(options).at("method"), "gtr-32");
  EXPECT_EQ(settings_json(options).at("tokens_per_step"), "stages:24,6,2");
  EXPECT_FALSE(settings_json(usual()).contains("order")) << "control: what older runs have not";
}

TEST(SettingsName, TellsPartialStepsFromLastOnes) {
  EvalOptions partial = usual();
  partial.plan.head_steps = "100/50";
  EvalOptions falling = usual();
  falling.plan.head_steps = "100:50";
  EXPECT_EQ(settings_name(partial, usual()), "iter64_baseline_head-100+50");
  EXPECT_EQ(settings_name(falling, usual()), "iter64_baseline_head-100-50");
}

TEST(SettingsName, IsOneFolderNameOfBoundedLength) {
  EvalOptions options = usual();
  options.model.resume = "some/where/with a space:and,more";
  options.classes.assign(1000, 123);
  const std::string name = settings_name(options, usual());
  EXPECT_EQ(name.find('/'), std::string::npos);
  EXPECT_LT(name.size(), 255U);
}

TEST(SettingsJson, IsAllThatTheBytesDependOn) {
  EvalOptions options = usual();
  options.device = device_model(c10::kCPU);
  const auto json = [&] { return settings_json(options); };
  const auto standard = json();
  EXPECT_TRUE(standard.at("lazy_mar").is_null());
  EXPECT_FALSE(standard.at("device").get<std::string>().empty());
  options.threads = 3;
  options.workers = 2;
  options.durability = Durability::kFile;
  EXPECT_EQ(json(), standard);
  options.model.seed = 2;
  EXPECT_NE(json(), standard);
  options.lazy.emplace();
  EXPECT_EQ(json().at("lazy_mar").at("warmup"), 5);
}

/// Manifests of earlier versions have these bytes; runs resume only if new ones do too.
TEST(SettingsJson, KeepsItsBytes) {
  EvalOptions options = usual();
  options.device = "a CPU";
  auto settings = settings_json(options);
  settings["version"] = "v";
  EXPECT_EQ(settings.dump(),
            R"({"model":"mar_huge","num_images":50000,"classes":[],"eval_bsz":8,"seed":1,)"
            R"("num_iter":64,"num_sampling_steps":100,"cfg":3.25,"cfg_schedule":"linear",)"
            R"("temperature":1.0,"lazy_mar":null,"few_files":false,"metadata":true,)"
            R"("device":"a CPU","precision":"fp32","version":"v"})");
  options.lazy.emplace().head = false;
  options.classes = {3, 1};
  settings = settings_json(options);
  EXPECT_EQ(settings["lazy_mar"].dump(),
            R"({"caches":["token","condition"],"warmup":5,"refresh":9,"prune_layer":3,"extra":15,)"
            R"("head_refresh":7,"retain":"scaled","condition_scale":1.0})");
  EXPECT_EQ(settings["classes"].dump(), "[3,1]");
}

TEST(SettingsJson, SayTheDiffusionStepsOnce) {
  EvalOptions options = usual();
  EXPECT_EQ(settings_json(options).at("num_sampling_steps"), 100);
  options.plan.head_steps = "50:5";
  const auto settings = settings_json(options);
  EXPECT_EQ(settings.at("head_steps"), "50:5");
  EXPECT_FALSE(settings.contains("num_sampling_steps"));
}

TEST(Resolve, FillsInWhatCheckpointAndDeviceChoose) {
  EvalOptions options;
  options.num_images = 4;
  const EvalOptions resolved = resolve(options, {1.5, CfgSchedule::kConstant}, c10::kCPU);
  EXPECT_EQ(resolved.cfg, 1.5);
  EXPECT_EQ(resolved.sampling.cfg_schedule, CfgSchedule::kConstant);
  EXPECT_EQ(resolved.eval_bsz, 4);
  EXPECT_NE(resolved.precision, Precision());
  EXPECT_EQ(resolved.device, device_model(c10::kCPU));
}

}  // namespace
}  // namespace lazymar
